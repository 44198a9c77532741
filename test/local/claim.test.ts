import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { claim } from '../../src/local/claim.ts';
import { identifyProcess } from '../../src/local/process.ts';
import { type Child, clearLeftovers, leftovers, makeRoot, startChild, until } from './children.ts';

const RIVALS = 4;
const rivals: Child[] = [];

beforeAll(async () => {
  for (let rival = 0; rival < RIVALS; rival += 1) rivals.push(startChild('claimant'));
  for (const rival of rivals) expect(await rival.line()).toBe('ready');
});
afterEach(clearLeftovers);
afterAll(() => Promise.all(rivals.map((rival) => rival.kill())));

/** What each rival says when all claim the folder at the same moment. */
async function race(folder: string): Promise<string[]> {
  for (const rival of rivals) rival.say(folder);
  return Promise.all(rivals.map((rival) => rival.line()));
}

/** A folder with this text as its newest claim. */
function claimed(text: string): string {
  const folder = join(makeRoot(), 'claims');
  mkdirSync(folder);
  writeFileSync(join(folder, '7.json'), text);
  return folder;
}

/** A process that runs, as the claim of another one that had its number before. */
function reused(): string {
  return JSON.stringify({ pid: process.pid, born: 'in another life' });
}

describe('a claim', () => {
  it.each([
    ['a new folder', () => join(makeRoot(), 'claims')],
    ['a folder that its owner left', () => claimed('')],
    ['a folder whose owner has died', () => claimed(JSON.stringify({ pid: 2 ** 30, born: 'long ago' }))],
    ['a folder whose owner has died and whose number another process has now', () => claimed(reused())],
    ['a folder whose claim was torn by a power failure', () => claimed('{"pid": 1')],
  ])('of %s is won by exactly one of those who come at the same moment', async (_, make) => {
    for (let round = 0; round < 10; round += 1) {
      const answers = await race(make());
      expect(answers.filter((answer) => answer === 'claimed')).toHaveLength(1);
      expect(answers.filter((answer) => answer.startsWith('Tollhouse already runs'))).toHaveLength(RIVALS - 1);
    }
  });

  it('is refused while its owner lives, and says where it answers', () => {
    const folder = join(makeRoot(), 'claims');
    const held = claim(folder);
    expect(() => claim(folder)).toThrow(`Tollhouse already runs in this folder (process ${process.pid}).`);
    held.announce('http://localhost:4000/graphql');
    expect(() => claim(folder)).toThrow(`(process ${process.pid}, http://localhost:4000/graphql)`);
  });

  it('can be made again after its release, which may come twice', () => {
    const folder = join(makeRoot(), 'claims');
    const first = claim(folder);
    first.release();
    const second = claim(folder);
    first.release();
    expect(() => claim(folder)).toThrow('Tollhouse already runs');
    second.release();
    claim(folder).release();
  });

  it('of an owner killed without warning can be taken over at once', async () => {
    const folder = join(makeRoot(), 'claims');
    const owner = startChild('claimant');
    expect(await owner.line()).toBe('ready');
    owner.say(folder);
    expect(await owner.line()).toBe('claimed');
    expect(() => claim(folder)).toThrow(`process ${owner.process.pid}`);
    owner.process.kill('SIGKILL');
    await once(owner.process, 'exit');
    claim(folder).release();
  });

  it('outlives the removal of its folder', async () => {
    const folder = join(makeRoot(), 'claims');
    const held = claim(folder);
    await clearLeftovers();
    expect(() => held.release()).not.toThrow();
  });
});

describe('a process', () => {
  it('is told apart from an earlier one of its number', () => {
    const self = identifyProcess(process.pid);
    expect(self).toEqual(identifyProcess(process.pid));
    expect(self?.born).not.toBe(identifyProcess(process.ppid)?.born);
  });

  it('that ended is nobody, also while no parent takes notice of it', async () => {
    const careless = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
    leftovers.push(() => careless.kill('SIGKILL'));
    const [pid] = await once(careless.stdout, 'data');
    await until(() => identifyProcess(Number(pid)) === null);
    expect(process.kill(Number(pid), 0)).toBe(true);
    expect(identifyProcess(careless.pid ?? 0)).not.toBeNull();
  });

  it.each([0, -1, Number.NaN, 2 ** 30])('is not named by %d', (pid) => {
    expect(identifyProcess(pid)).toBeNull();
  });
});
