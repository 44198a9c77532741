import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { run } from './command.ts';

describe('examples/pay-a-link', () => {
  let house: TestTollhouse;
  let ticking: NodeJS.Timeout;
  beforeAll(async () => {
    house = await startTollhouse({ chain: true, settings: { TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0' } });
    // As the local chain of `npm start`, which mines a block every second besides.
    ticking = setInterval(() => void house.chain?.node.mine({ blocks: 1 }), 1_000);
  });
  afterAll(async () => {
    clearInterval(ticking);
    await house.stop();
  });

  const pay = (url: string) => run('examples/pay-a-link/payALink.ts', { cwd: tmpdir(), args: [url] });

  it('signs in, makes a link, pays it, and ends with PAID', async () => {
    const paying = pay(house.url);
    expect([await paying.ended(), paying.said()]).toEqual([0, expect.stringMatching(/^Signed in as 0x.*PAID\n$/s)]);
  });

  it('ends with 1 and a sentence where nothing answers', async () => {
    const paying = pay('http://127.0.0.1:9/graphql');
    expect(await paying.ended()).toBe(1);
    expect(paying.said().trim().split('\n')).toHaveLength(1);
  });
});
