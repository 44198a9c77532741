import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clearLeftovers, makeRoot } from '../local/children.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { linesOf, run } from './gateways.ts';

const folder = makeRoot();
let tollhouse: TestTollhouse;
beforeAll(async () => {
  tollhouse = await startTollhouse();
});
afterAll(async () => {
  await tollhouse.stop();
  await clearLeftovers();
});

const SCRIPT = 'examples/follow-events/followEvents.ts';

describe('the example of subscriptions', () => {
  it('follows the log of a new organization, leaves, and misses nothing meanwhile', async () => {
    const example = run(SCRIPT, folder, [tollhouse.url]);
    expect([await example.ended, example.complained()]).toEqual([{ code: 0, signal: null }, '']);
    const lines = linesOf(example);
    expect(lines.slice(-2)).toEqual(['organization.updated', 'organization.updated']);
    expect(lines).toContain('user.signed-up');
  });

  it('says in one line that nobody answers, and ends badly', async () => {
    const example = run(SCRIPT, folder, ['http://127.0.0.1:9/graphql']);
    expect(await example.ended).toEqual({ code: 1, signal: null });
    expect(example.complained()).toBe('Failed at http://127.0.0.1:9/graphql: fetch failed\n');
  });
});
