import { setInterval } from 'node:timers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitForChain } from '../../src/demo.ts';
import { clearLeftovers, makeRoot } from '../local/children.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { linesOf, payALink } from './gateways.ts';

const folder = makeRoot();
let tollhouse: TestTollhouse;
let clock: NodeJS.Timeout;
beforeAll(async () => {
  tollhouse = await startTollhouse({ chain: true });
  if (!tollhouse.chain || !(await waitForChain(tollhouse.resources, tollhouse.chain.setting))) {
    throw new Error('The chain was not read in time.');
  }
  // The chain of a test has no blocks but those of transactions; the local chain has one every second besides.
  clock = setInterval(() => void tollhouse.chain?.node.mine({ blocks: 1 }).catch(() => undefined), 300);
});
afterAll(async () => {
  clearInterval(clock);
  await tollhouse.stop();
  await clearLeftovers();
});

describe('the example', () => {
  it('signs in, makes a link, pays it, and ends well when it is paid', async () => {
    const example = payALink(folder, tollhouse.url);
    const ended = await example.ended;
    expect(example.complained()).toBe('');
    expect(ended).toEqual({ code: 0, signal: null });
    const lines = linesOf(example);
    expect(lines).toEqual([
      expect.stringMatching(/^Signed in as 0x[0-9a-fA-F]{40}, organization ".+"$/),
      expect.stringMatching(/^Payment link http:\/\/localhost:\d+\/pay\/[\w-]{22}$/),
      expect.stringMatching(/^Paid 12\.5 TUSD in 0x[0-9a-f]{64}$/),
      ...lines.slice(3, -1).map(() => expect.stringMatching(/^(CREATED|CONFIRMING)$/)),
      'PAID',
    ]);
  });

  it('says in one line that nobody answers, and ends badly', async () => {
    const example = payALink(folder, 'http://127.0.0.1:9/graphql');
    expect(await example.ended).toEqual({ code: 1, signal: null });
    expect(example.complained()).toBe('Failed at http://127.0.0.1:9/graphql: fetch failed\n');
  });
});
