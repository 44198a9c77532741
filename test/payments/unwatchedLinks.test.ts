import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leaveChains } from '../../src/chain/commands/leaveChains.ts';
import { WATCH_LOCK } from '../../src/chain/model.ts';
import { recheckWatched } from '../../src/payments/commands/recheckWatched.ts';
import { tellOfUnwatched } from '../../src/payments/commands/tellOfUnwatched.ts';
import { CREATE_ORDER, ETH, type Market, makeLink, makeOrder, newPayer, openMarket, TUSD } from './market.ts';

let market: Market;
let payer: string;
beforeAll(async () => {
  market = await openMarket();
  payer = (await newPayer(market)).address;
});
afterEach(async () => {
  await market.sql('update chain_incarnations set unwatched_since = null');
  await recheckWatched(market.worker);
  await market.watch();
});
afterAll(() => market.close());

async function stateOfLink(slug: string): Promise<unknown> {
  const { data } = await market.house.ask<{ checkout: { effectiveStatus: string } }>(
    'query ($slug: String!) { checkout(slug: $slug) { effectiveStatus } }',
    { slug },
  );
  return data?.checkout.effectiveStatus;
}

async function refusal(slug: string, asset = TUSD): Promise<unknown> {
  const { errors } = await market.house.ask(CREATE_ORDER, { input: { slug, payer, asset } });
  const { code, facts } = (errors[0]?.extensions ?? {}) as { code?: string; facts?: { status?: string } };
  return [code, facts?.status];
}

/** So many seconds after the chain was read a process that does not watch it looks around; how many has it found? */
async function leave(seconds = 121): Promise<number> {
  await market.sql('update chain_incarnations set caught_up_at = now() - make_interval(secs => $1::int)', seconds);
  const found = await leaveChains(market.worker, { watched: [] });
  await recheckWatched(market.worker);
  return found.length;
}

const unwatched = async (): Promise<unknown> =>
  market.sql('select unwatched_since is not null as unwatched from chain_incarnations');

describe('a link of a chain that nobody watches', () => {
  it.each(['exhausted', 'unproved'])('says so where its other way to pay is %s', async (reason) => {
    const accepts = [TUSD, ETH].map((asset) => ({ asset, amount: '1' }));
    const { id, slug } = await makeLink(market, { accepts });
    const set = (column: string, asset: string, to: boolean) =>
      market.sql(
        `update payment_link_accepts a set ${column} = $1 from assets s, payment_links l
         where s.id = a.asset_id and s.caip19 = lower($2) and l.id = a.payment_link_id and l.slug = $3`,
        to,
        asset,
        slug,
      );
    await set('unwatched', TUSD, true);
    expect(await stateOfLink(slug)).toBe('ACTIVE');
    await set(reason, ETH, true);
    expect(await stateOfLink(slug)).toBe('CHAIN_NOT_WATCHED');
    expect(await refusal(slug)).toEqual(['LINK_INACTIVE', 'CHAIN_NOT_WATCHED']);
    const { data } = await market.house.ask<{ organization: { paymentLinks: { edges: { node: { id: string } }[] } } }>(
      '{ organization { paymentLinks(filter: { states: [CHAIN_NOT_WATCHED] }) { edges { node { id } } } } }',
      {},
      { token: market.merchant.accessToken },
    );
    expect(data?.organization.paymentLinks.edges).toEqual([{ node: { id } }]);
    await set(reason, ETH, false);
    expect(await stateOfLink(slug)).toBe('ACTIVE');
    await set(reason, TUSD, true);
    await set('unwatched', TUSD, false);
    expect(await stateOfLink(slug)).toBe('ACTIVE');
  });

  it.each([
    ['EXPIRED', `expires_at = now() - interval '1 minute'`],
    ['SCHEDULED', `starts_at = now() + interval '1 hour'`],
  ])('is %s for its payers and for who begins to pay alike, where it is', async (state, change) => {
    const { slug } = await makeLink(market, { accepts: [TUSD, ETH].map((asset) => ({ asset, amount: '1' })) });
    await leave();
    expect(await refusal(slug)).toEqual(['LINK_INACTIVE', 'CHAIN_NOT_WATCHED']);
    await market.sql(`update payment_links set ${change} where slug = $1`, slug);
    expect(await stateOfLink(slug)).toBe(state);
    expect(await refusal(slug)).toEqual(['LINK_INACTIVE', state]);
  });

  it('is told so some at a time, and a chain that is left or named again waits for none of them', async () => {
    for (let made = 0; made < 5; made += 1) await makeLink(market);
    const count = async () => (await market.sql<{ n: number }>(SAY_SO))[0]?.n;
    const all = (await market.sql<{ n: number }>('select count(*)::int as n from payment_links'))[0]?.n ?? 0;
    await market.sql('update chain_incarnations set unwatched_since = now()');
    expect(await count()).toBe(0);
    const [round] = await market.sql<{ links: number }>('select recheck_watched(2) as links');
    expect(round?.links).toBe(2);
    expect(await count()).toBe(2);
    await recheckWatched(market.worker);
    expect(await count()).toBe(all);
    await market.register();
    expect(await unwatched()).toEqual([{ unwatched: false }]);
    expect(await count()).toBe(all);
    await recheckWatched(market.worker);
    expect(await count()).toBe(0);
    expect(await market.sql('select recheck_watched(2) as links')).toEqual([{ links: 0 }]);
  });

  it('has orders that ask for nothing meanwhile, and for the same as before when it is watched again', async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const order = await makeOrder(market, { slug, payer });
    const payable = async () => {
      const { data } = await market.house.ask<{ checkoutOrder: unknown }>(
        'query ($token: String!) { checkoutOrder(token: $token) { status chainWatched paymentRequest { eip681 } } }',
        { token: order.token },
      );
      return data?.checkoutOrder;
    };
    const before = await payable();
    expect(before).toMatchObject({ chainWatched: true, paymentRequest: { eip681: expect.any(String) } });
    await leave();
    expect(await payable()).toEqual({ status: 'CREATED', chainWatched: false, paymentRequest: null });
    await market.watch();
    expect(await payable()).toEqual(before);
  });
});

describe('a chain that nobody watches', () => {
  it('is left no more when somebody holds it and has read it, though it was noted after that', async () => {
    const lock = 'hashtextextended($1 || 31337, 0)';
    await leave();
    expect(await unwatched()).toEqual([{ unwatched: true }]);
    await market.sql(`select pg_advisory_lock(${lock})`, WATCH_LOCK);
    try {
      expect(await leave()).toBe(0);
      expect(await unwatched()).toEqual([{ unwatched: true }]);
      expect(await leave(61)).toBe(0);
      expect(await unwatched()).toEqual([{ unwatched: false }]);
    } finally {
      await market.sql(`select pg_advisory_unlock(${lock})`, WATCH_LOCK);
    }
    expect(await leave()).toBe(1);
    expect(await leave(61)).toBe(1);
    expect(await unwatched()).toEqual([{ unwatched: true }]);
  });

  it('is told of once though what waits there cannot be counted', async () => {
    const said: object[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void said.push(JSON.parse(line)) });
    const told = new Set<bigint>();
    await market.sql('revoke execute on function waiting_on_chain(bigint) from tollhouse_worker');
    try {
      for (let round = 0; round < 2; round += 1)
        await tellOfUnwatched({ ...market.worker, log }, { watched: [], told });
    } finally {
      await market.sql('grant execute on function waiting_on_chain(bigint) to tollhouse_worker');
    }
    expect(said).toEqual([expect.objectContaining({ chainId: 31_337, err: expect.anything() })]);
  });
});

const SAY_SO = 'select count(*)::int as n from payment_links where unwatched';
