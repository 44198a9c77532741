import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import type { ChainReader } from '../../src/ports.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { type Door, openDoor } from './door.ts';
import { keptOf, type Ledger, openLedger, range } from './ledger.ts';

let chain: DevelopmentChain;
let door: Door;
let ledger: Ledger;
let reader: ChainReader;
let registered: RegisteredChain;

beforeAll(async () => {
  [chain, ledger] = await Promise.all([openDevelopmentChain(), openLedger()]);
  door = await openDoor(chain.rpcUrl);
  door.rewrite = ({ params: [tag] }, result) => (tag === 'finalized' || tag === 'safe' ? null : result);
  await chain.node.mine({ blocks: 200 });
  const setting = { ...chain.setting, rpcUrl: door.url };
  reader = createNodeReader(setting);
  registered = await registerChain(ledger.worker, { setting, reader });
});
afterAll(async () => {
  await ledger.close();
  await door.close();
  await chain.stop();
});

const headNow = async (): Promise<number> => Number(await chain.public.getBlockNumber({ cacheTime: 0 }));

describe('a chain whose node calls no block final', () => {
  it('is read from 64 blocks below its head when it is new, not from its first', async () => {
    expect(await reader.finalizedNumber()).toBeNull();
    const head = await headNow();
    expect(await followChain(ledger.worker, registered, reader)).toBe('following');
    expect(await keptOf(ledger, registered)).toMatchObject({ head, finalized: 0, blocks: range(head - 64, head) });
  });

  it('is walked back over when it is reorganized at once', async () => {
    await chain.node.request({ method: 'anvil_reorg', params: [20, []] } as never);
    await followChain(ledger.worker, registered, reader);
    expect(await followChain(ledger.worker, registered, reader)).toBe('following');
    const head = await headNow();
    expect(await keptOf(ledger, registered)).toMatchObject({
      head,
      haltReason: null,
      blocks: range(head - 64, head),
    });
  });
});

describe('a chain whose node does', () => {
  it('is read from that block', async () => {
    const other = await openLedger();
    const direct = createNodeReader(chain.setting);
    const final = Number(await direct.finalizedNumber());
    const same = await registerChain(other.worker, { setting: chain.setting, reader: direct });
    await followChain(other.worker, same, direct);
    expect(final).toBeGreaterThan(0);
    const { blocks } = await keptOf(other, same);
    expect(blocks[0]).toBe(final);
    await other.close();
  });
});
