import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FULL } from '../support/scale.ts';
import { expectBooksToBalance } from './books.ts';
import { ask, cancelOrder, doToLink, madeLink, order, payerOf, updateLink } from './linkBench.ts';
import { expectUsesToBeExact } from './linkUses.ts';
import { type Market, makeOrder, newPayer, openMarket, setDeadline, stateOf, timeOfHead } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectUsesToBeExact(market));
afterAll(async () => {
  await expectBooksToBalance(market);
  await market.close();
});

const ROUNDS = FULL ? 10 : 1;

/** How many of each code there are. */
function tally(codes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** So many payers at one instant, each with a wallet of its own unless said otherwise. */
async function crowd(count: number, slug: string, input: (index: number) => Record<string, unknown> = () => ({})) {
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, index) => order(market, slug, { payer: payerOf(index), ...input(index) })),
  );
  return { codes: tally(outcomes.map(({ code }) => code)), tokens: outcomes.flatMap(({ data }) => data?.token ?? []) };
}

const stateOfLink = async (slug: string): Promise<unknown> => {
  const { data } = await ask<{ checkout: unknown }>(
    market,
    `{ checkout(slug: "${slug}") { effectiveStatus accepts { exhausted } } }`,
    {},
    null,
  );
  return data?.checkout;
};

describe('a link that takes so many orders', () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'takes one of fifty at one instant, and the others are told so (round %i)',
    async () => {
      const { slug } = await madeLink(market, { maxUses: 1 });
      const { codes } = await crowd(50, slug);
      expect(codes).toEqual({ OK: 1, LINK_EXHAUSTED: 49 });
      expect(await stateOfLink(slug)).toEqual({ effectiveStatus: 'EXHAUSTED', accepts: [{ exhausted: false }] });
    },
  );

  it('takes seven of thirty, and one more for each that gives up', async () => {
    const { slug } = await madeLink(market, { maxUses: 7 });
    const { codes, tokens } = await crowd(30, slug);
    expect(codes).toEqual({ OK: 7, LINK_EXHAUSTED: 23 });
    await Promise.all(tokens.slice(0, 3).map((token) => cancelOrder(market, token)));
    expect((await crowd(10, slug)).codes).toEqual({ OK: 3, LINK_EXHAUSTED: 7 });
  });

  it('stays exact while payers come and go', async () => {
    const { slug } = await madeLink(market, { maxUses: 5 });
    for (let round = 0; round < 3; round += 1) {
      const { tokens } = await crowd(10, slug);
      await Promise.all([crowd(5, slug), ...tokens.slice(1).map((token) => cancelOrder(market, token))]);
    }
    const [{ open }] = (await market.sql(
      `select count(*)::integer as open from payment_orders o join payment_links l on l.id = o.payment_link_id
       where l.slug = $1 and o.status = 'CREATED'`,
      slug,
    )) as [{ open: number }];
    expect(open).toBeGreaterThan(0);
    expect(open).toBeLessThanOrEqual(5);
  });
});

describe('a use', () => {
  it('is given back when the time of an order passes with nothing, and kept by what was paid', async () => {
    const { slug } = await madeLink(market, { maxUses: 2 });
    await market.watch();
    const [payer, other] = [await newPayer(market), await newPayer(market)];
    const paid = await makeOrder(market, { slug, payer: payer.address });
    const forgotten = await makeOrder(market, { slug, payer: other.address });
    expect((await order(market, slug)).code).toBe('LINK_EXHAUSTED');
    await payer.pay(paid);
    await market.mine(3);
    await endTimeWithHead(forgotten);
    expect((await stateOf(market, paid)).status).toBe('PAID');
    expect((await stateOf(market, forgotten)).status).toBe('EXPIRED');
    expect((await order(market, slug)).code).toBe('OK');
    expect((await order(market, slug)).code).toBe('LINK_EXHAUSTED');
  });

  it('is kept by an order that expired with a part of what was due', async () => {
    const { slug } = await madeLink(market, { maxUses: 1 });
    await market.watch();
    const payer = await newPayer(market);
    const partly = await makeOrder(market, { slug, payer: payer.address });
    await payer.pay(partly, { units: 5_000_000n });
    await market.watch();
    await endTimeWithHead(partly);
    expect(await stateOf(market, partly)).toMatchObject({ status: 'EXPIRED', exceptions: ['UNDERPAID'] });
    expect((await order(market, slug)).code).toBe('LINK_EXHAUSTED');
  });
});

/** Ends the order's time with the newest block, and lets the watcher read the chain after that. */
async function endTimeWithHead(each: Parameters<typeof setDeadline>[1]): Promise<void> {
  const end = await timeOfHead(market);
  await setDeadline(market, each, end);
  await sleep(Math.max(0, end.getTime() + 50 - Date.now()));
  await market.watch();
}

describe('a link that takes so much', () => {
  it('takes no more, however many ask for how much', async () => {
    const { slug } = await madeLink(market, {
      pricing: 'OPEN',
      accepts: [{ minAmount: '1', maxAmount: '10', maxTotal: '50' }],
    });
    const { codes, tokens } = await crowd(30, slug, (index) => ({ amount: String(1 + (index % 10)) }));
    expect(codes.OK).toBe(tokens.length);
    expect(Object.keys(codes).sort()).toEqual(['LINK_EXHAUSTED', 'OK']);
    const [{ total }] = (await market.sql(
      'select total_units as total from payment_link_accepts a join payment_links l on l.id = a.payment_link_id where slug = $1',
      slug,
    )) as [{ total: string }];
    expect(BigInt(total)).toBeLessThanOrEqual(50_000_000n);
    // what no other amount could fill either
    expect(BigInt(total)).toBeGreaterThan(40_000_000n);
  });

  it('is exhausted when no way to pay it is left', async () => {
    const { slug } = await madeLink(market, { accepts: [{ amount: '10', maxTotal: '25' }] });
    const { codes, tokens } = await crowd(5, slug);
    expect(codes).toEqual({ OK: 2, LINK_EXHAUSTED: 3 });
    expect(await stateOfLink(slug)).toEqual({ effectiveStatus: 'EXHAUSTED', accepts: [{ exhausted: true }] });
    await cancelOrder(market, tokens[0] ?? '');
    expect(await stateOfLink(slug)).toEqual({ effectiveStatus: 'ACTIVE', accepts: [{ exhausted: false }] });
  });
});

describe('a link that takes so many orders of a wallet', () => {
  it('takes no more of it at one instant, and others of others', async () => {
    const { slug } = await madeLink(market, { maxPerWallet: 3 });
    const { codes, tokens } = await crowd(20, slug, () => ({ payer: payerOf(1) }));
    expect(codes).toEqual({ OK: 3, WALLET_LIMIT_REACHED: 17 });
    expect((await order(market, slug, { payer: payerOf(2) })).code).toBe('OK');
    await cancelOrder(market, tokens[0] ?? '');
    expect((await order(market, slug, { payer: payerOf(1) })).code).toBe('OK');
    expect((await order(market, slug, { payer: null })).code).toBe('PAYER_REQUIRED');
  });
});

describe('limits that come later', () => {
  it('count what is there, also what is made at that instant', async () => {
    const { id, slug } = await madeLink(market);
    await crowd(3, slug);
    const [during, changed] = await Promise.all([
      crowd(20, slug),
      updateLink(market, id, { maxUses: 10 }),
      updateLink(market, id, { maxPerWallet: 50 }),
    ]);
    expect(changed.code).toBe('OK');
    const taken = 3 + (during.codes.OK ?? 0);
    expect(taken).toBeGreaterThanOrEqual(10);
    expect((await crowd(5, slug)).codes).toEqual({ LINK_EXHAUSTED: 5 });
    expect((await updateLink(market, id, { maxUses: taken + 2 })).data).toMatchObject({
      uses: taken,
      effectiveStatus: 'ACTIVE',
    });
    expect((await crowd(5, slug)).codes).toEqual({ OK: 2, LINK_EXHAUSTED: 3 });
    expect((await updateLink(market, id, { maxUses: null, maxPerWallet: null })).data).toMatchObject({
      uses: null,
      effectiveStatus: 'ACTIVE',
    });
    expect((await order(market, slug)).code).toBe('OK');
  });

  it('of a sum count what is asked for in that asset', async () => {
    const { id, slug } = await madeLink(market);
    await crowd(3, slug);
    const accepts = [{ ...(await acceptOf(slug)), amount: '12.5', maxTotal: '50' }];
    expect((await updateLink(market, id, { accepts })).data?.totals).toMatchObject([{ total: '37.5', maxTotal: '50' }]);
    expect((await crowd(4, slug)).codes).toEqual({ OK: 1, LINK_EXHAUSTED: 3 });
  });

  it('and the end of a link wait for who is about to pay it', async () => {
    const { id, slug } = await madeLink(market);
    const [{ codes }, deleted] = await Promise.all([crowd(15, slug), doToLink(market, 'delete', id)]);
    const made = codes.OK ?? 0;
    expect({ deleted, made: made > 0 }).toEqual(
      made > 0 ? { deleted: 'LINK_HAS_OPEN_ORDERS', made: true } : { deleted: 'OK', made: false },
    );
  });
});

async function acceptOf(slug: string): Promise<{ asset: string; payTo: string }> {
  const { data } = await ask<{ checkout: { accepts: [{ asset: { caip19: string }; payTo: string }] } }>(
    market,
    `{ checkout(slug: "${slug}") { accepts { asset { caip19 } payTo } } }`,
    {},
    null,
  );
  const [accept] = data?.checkout.accepts ?? [];
  return { asset: accept?.asset.caip19 ?? '', payTo: accept?.payTo ?? '' };
}

describe('a link without limits', () => {
  it('is not written to by who pays it', async () => {
    const { slug } = await madeLink(market);
    const version = (): Promise<unknown> =>
      market.sql('select xmin::text, uses from payment_links where slug = $1', slug);
    const before = await version();
    expect((await crowd(10, slug)).codes).toEqual({ OK: 10 });
    expect(await version()).toEqual(before);
  });
});
