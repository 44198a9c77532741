import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../support/person.ts';
import { cancelOrder, madeLink, order } from './linkBench.ts';
import { type Market, newPayer, openMarket } from './market.ts';

const LIMIT = 3;

let market: Market;
beforeAll(async () => {
  market = await openMarket({
    TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
    LIMIT_OPEN_ORDERS_PER_CLIENT: String(LIMIT),
  });
  await market.watch();
});
afterAll(() => market.close());

/** Lets time pass for all orders of a link: by so much they were made earlier, and their time was over earlier. */
const letPass = (slug: string, past: string) =>
  market.sql(
    `update payment_orders o
     set created_at = o.created_at - $2::interval, expires_at = o.expires_at - $2::interval,
         late_until = o.late_until - $2::interval
     from payment_links l
     where l.slug = $1 and l.organization_id = o.organization_id and l.id = o.payment_link_id`,
    slug,
    past,
  );

/** Asks for orders and calls each off at once; answers what each asking came to. */
async function comeAndGo(slug: string, count: number, input: Record<string, unknown>): Promise<string[]> {
  const codes: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const { code, data } = await order(market, slug, input);
    codes.push(code);
    if (data) expect(await cancelOrder(market, data.token)).toBe('OK');
  }
  return codes;
}

describe('one client', () => {
  it('gets no further order of a link by calling others off, but after an hour', async () => {
    const { slug } = await madeLink(market);
    expect(await comeAndGo(slug, LIMIT + 2, {})).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED', 'RATE_LIMITED']);
    // of another link there are as many
    const { slug: other } = await madeLink(market);
    expect(await comeAndGo(other, 1, {})).toEqual(['OK']);
    await letPass(slug, '59 minutes');
    expect(await comeAndGo(slug, 1, {})).toEqual(['RATE_LIMITED']);
    await letPass(slug, '2 minutes');
    expect(await comeAndGo(slug, LIMIT + 1, {})).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
  });

  it('holds what it called off by its amount until others can be asked for just as much', async () => {
    const { slug } = await madeLink(market);
    const unique = { payer: null, matching: 'UNIQUE_AMOUNT' };
    expect(await comeAndGo(slug, LIMIT + 1, unique)).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
    await letPass(slug, '2 hours');
    expect(await comeAndGo(slug, 1, unique)).toEqual(['RATE_LIMITED']);
    expect(await comeAndGo(slug, 1, {})).toEqual(['RATE_LIMITED']);
    await letPass(slug, '10 days');
    await market.watch();
    await market.mine(70);
    await market.watch();
    expect(await comeAndGo(slug, 1, unique)).toEqual(['OK']);
  });

  it('has its place again for what it has paid', async () => {
    const { slug } = await madeLink(market);
    const payer = await newPayer(market);
    for (let paid = 0; paid < LIMIT + 1; paid += 1) {
      const { code, data } = await order(market, slug, { payer: null, matching: 'UNIQUE_AMOUNT' });
      expect(code).toBe('OK');
      await payer.transfer(market.merchant.account.address, BigInt(data?.due.units ?? 0));
      await market.mine();
      await market.watch();
    }
  });
});

describe('of a link with few uses one client', () => {
  it('holds no more than a quarter, and one at least', async () => {
    const few = await madeLink(market, { maxUses: 3 });
    expect(await comeAndGo(few.slug, 2, {})).toEqual(['OK', 'RATE_LIMITED']);
    const some = await madeLink(market, { maxUses: 8 });
    expect(await comeAndGo(some.slug, 3, {})).toEqual(['OK', 'OK', 'RATE_LIMITED']);
    const many = await madeLink(market, { maxUses: 100 });
    expect(await comeAndGo(many.slug, LIMIT + 1, {})).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
  });
});

describe('the merchant’s own backend', () => {
  it('is no one client, and a stranger’s is', async () => {
    const { slug } = await madeLink(market);
    const ask = async (token: string): Promise<string[]> => {
      const codes: string[] = [];
      for (let made = 0; made < LIMIT + 1; made += 1) {
        const { errors } = await market.house.ask(
          'mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) { replayed } }',
          { input: { slug, payer: `0x${'8'.repeat(40)}` } },
          { token },
        );
        codes.push(errors[0]?.extensions.code ?? 'OK');
      }
      return codes;
    };
    const stranger = await signIn(market.house);
    expect(await ask(stranger.accessToken)).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
    expect(await ask(market.merchant.accessToken)).toEqual(['OK', 'OK', 'OK', 'OK']);
  });
});

describe('a key that is repeated', () => {
  it('hands out so many tokens of its order an hour', async () => {
    const { slug } = await madeLink(market);
    const codes: string[] = [];
    for (let asked = 0; asked < LIMIT + 2; asked += 1) {
      codes.push((await order(market, slug, { idempotencyKey: 'a-key-of-sixteen-characters' })).code);
    }
    expect(codes).toEqual(['OK', 'OK', 'OK', 'OK', 'RATE_LIMITED']);
  });
});
