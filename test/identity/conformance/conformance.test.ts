import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityErrors } from '../../../src/identity/errors.ts';
import { startTollhouse, type TestTollhouse } from '../../support/tollhouse.ts';
import { openSigningChain, rotation, type SigningChain } from '../signingChain.ts';
import { openUnsteadyNode, type UnsteadyNode } from '../unsteadyNode.ts';
import { newWallet } from '../visitor.ts';
import { NAMED_CASES } from './cases.ts';
import { CASES } from './conformance.ts';
import { reachGateway } from './gateway.ts';
import { type Grounds, INSIDE_CASES } from './insideCases.ts';

let house: TestTollhouse;
let closed: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
  closed = await startTollhouse({ chains: house.supplies.chains, settings: { SIGN_UP: 'invite-only' } });
});
afterAll(async () => {
  await house.stop();
  await closed.stop();
});

/** Runs the command as somebody at a terminal would. */
function run(...options: string[]): Promise<{ code: number; said: string }> {
  const command = ['--import', 'tsx', join(import.meta.dirname, 'command.ts'), ...options];
  return new Promise((resolve) => {
    execFile(process.execPath, command, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr });
    });
  });
}

describe('the cases', () => {
  it('are of each code of the seven steps, a refused one and a permitted one', () => {
    const codes = Object.keys(identityErrors.definitions).filter((code) => code.startsWith('SIWE_'));
    for (const code of codes) {
      const verdicts = new Set(NAMED_CASES.filter(({ about }) => about === code).map(({ expected }) => expected));
      expect([code, verdicts]).toEqual([code, new Set(['OK', code])]);
    }
    for (const code of ['SIGNATURE_CHECK_UNAVAILABLE', 'SIGNER_NO_LONGER_VALID']) {
      const verdicts = new Set(INSIDE_CASES.filter(({ about }) => about === code).map(({ expected }) => expected));
      expect([code, verdicts]).toEqual([code, new Set(['OK', code])]);
    }
    expect(CASES).toHaveLength(NAMED_CASES.length + 19 + 29 + 18);
  });
});

describe('the command', () => {
  it('finds that the gateway keeps to every case', async () => {
    const { code, said } = await run('--url', house.url);
    expect(said).toContain(`${CASES.length} cases, 0 differ; ${INSIDE_CASES.length} more are not tried from outside`);
    const untried = said.split('\n').filter((line) => line.startsWith('untried'));
    expect(untried).toHaveLength(INSIDE_CASES.length);
    for (const line of untried) expect(line).toMatch(/ needs a (node|contract wallet) /);
    expect([code, said.match(/^ok /gm)?.length, said.includes('DIFFERS')]).toEqual([0, CASES.length, false]);
  });

  it('tells each case that differs, of a gateway that lets nobody in', async () => {
    const { code, said } = await run('--url', closed.url);
    const differing = said.split('\n').filter((line) => line.startsWith('DIFFERS'));
    expect(code).toBe(1);
    expect(differing).toHaveLength(CASES.filter(({ expected }) => expected === 'OK').length);
    for (const line of differing) expect(line).toMatch(/ OK +SIGN_UP_CLOSED$/);
  });

  it('asks for an address', async () => {
    expect(await run()).toEqual({ code: 2, said: expect.stringContaining('--url') });
  });
});

describe('the cases that nobody can try from outside', () => {
  let chain: SigningChain;
  let node: UnsteadyNode;
  let within: TestTollhouse;
  let grounds: Grounds;
  beforeAll(async () => {
    chain = await openSigningChain();
    node = await openUnsteadyNode(chain.setting.rpcUrl);
    within = await startTollhouse({ chains: [{ ...chain.setting, rpcUrl: node.url }] });
    grounds = {
      deploy: (owner) => chain.deploy('OwnedWallet', owner),
      handOver: (contract, owner) => chain.sendAs(owner, { to: contract, data: rotation(newWallet().address) }),
      setNode: (there) => {
        node.mood = there ? 'well' : 'away';
      },
    };
  });
  afterAll(async () => {
    await within.stop();
    await node.stop();
    await chain.stop();
  });

  it.each(INSIDE_CASES)('$about: $name', async ({ run, expected }) => {
    expect(await run(await reachGateway(within.url), grounds)).toBe(expected);
  });
});
