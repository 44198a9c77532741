import { afterAll, beforeAll, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { type Rebuilt, rebuildProjection } from '../../src/events/commands/rebuildProjection.ts';
import { newId } from '../../src/kernel/ids.ts';
import { PAYMENT_PROJECTIONS } from '../../src/payments/model/projections.ts';
import { rowId } from '../identity/visitor.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';

interface Sent {
  readonly text: string;
  readonly values: unknown[];
}

let market: Market;
let slug: string;
beforeAll(async () => {
  market = await openMarket();
  ({ slug } = await makeLink(market));
});
afterAll(() => market.close());

/** An order that was made and not paid, by its UUID. */
const begin = async (): Promise<string> => {
  const { address } = await newPayer(market);
  return (await stateOf(market, await makeOrder(market, { slug, payer: address }))).id;
};

/** Makes the merchant's orders what the log says, and answers what was sent for that, too. */
const rebuild = (): Promise<{ rebuilt: Rebuilt; sent: Sent[] }> =>
  withSession(market.house.database.ownerUrl, async (client) => {
    const projection = PAYMENT_PROJECTIONS.find(({ table }) => table === 'payment_orders');
    if (!projection) throw new Error('There is no projection.');
    const sent: Sent[] = [];
    const send = async <Row>({ text, values }: Sent): Promise<Row[]> => {
      sent.push({ text, values });
      return (await client.query(text, values)).rows as Row[];
    };
    const organizationId = rowId(market.merchant.organizationId);
    const input = { projection, organizationId, requestId: `events-rebuild-${newId()}` };
    return { rebuilt: await rebuildProjection({ send }, input), sent };
  });

/** What an order is, and since when it is paid. */
const paidAt = async (id: string) =>
  (
    await market.sql<{ status: string; paid: string | null }>(
      `select status, to_char(paid_at at time zone 'UTC', 'YYYY-MM-DD') as paid from payment_orders where id = $1`,
      id,
    )
  )[0];

/** Adds facts of an order to the log, one a day of a month. */
async function tell(id: string, states: readonly string[]): Promise<void> {
  for (const [index, to] of states.entries()) {
    await market.sql(
      `insert into events (
         organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata, recorded_at
       )
       select organization_id, 'payment-order.noted', aggregate_type, aggregate_id, max(aggregate_version) + 1, 'worker',
         jsonb_build_object('to', $2::text), '{}', timestamptz '2026-03-01 12:00Z' + $3::integer * interval '1 day'
       from events where aggregate_id = $1 group by 1, 3, 4`,
      id,
      to,
      index,
    );
  }
}

it('reads nothing under the lock but the rows that differed, and everything once more without it', async () => {
  const [one, other] = [await begin(), await begin()];
  await market.sql('update payment_orders set credited_units = credited_units + 1 where id = $1', one);
  const { rebuilt, sent } = await rebuild();
  expect(rebuilt).toMatchObject({ written: 1, left: [], before: { rows: 2, differences: [{ id: one }] } });
  expect(rebuilt.after).toEqual({
    rows: 2,
    shownHash: rebuilt.before.toldHash,
    toldHash: rebuilt.before.toldHash,
    differences: [],
  });
  const locked = sent.findIndex(({ text }) => text.includes('lock table'));
  const done = sent.findIndex(({ text }, index) => index > locked && text === 'commit');
  const reading = sent
    .map(({ text, values }, index) => ({ text, index, ids: values.find(Array.isArray) ?? null }))
    .filter(({ text }) => /from (events|payment_orders) /.test(text) && text.includes('organization_id'));
  expect(reading.filter(({ index }) => index < locked || index > done).map(({ ids }) => ids)).toEqual([null, null]);
  const under = reading.filter(({ index }) => index > locked && index < done);
  expect(under.length).toBeGreaterThan(0);
  expect(JSON.stringify(under.map(({ ids }) => ids))).not.toContain(other);
  expect(new Set(under.map(({ ids }) => JSON.stringify(ids)))).toEqual(new Set([JSON.stringify([one])]));
});

it.each([
  ['became so at last, and not when it was final or anything was told of it', ['PAID', 'FINAL', 'FINAL'], '2026-03-01'],
  ['became so again', ['PAID', 'FINAL', 'CREATED', 'PAID', 'PAID', 'FINAL'], '2026-03-04'],
  ['became final at once', ['CREATED', 'FINAL', 'FINAL'], '2026-03-02'],
])('says of an order that is paid, and has no date, that it is since it %s', async (_, states, paid) => {
  const id = await begin();
  await tell(id, states);
  expect((await rebuild()).rebuilt).toMatchObject({ written: 1, left: [] });
  expect(await paidAt(id)).toEqual({ status: states.at(-1), paid });
});

it('keeps the date that an order has, as long as it is paid', async () => {
  const id = await begin();
  await tell(id, ['PAID', 'FINAL']);
  await market.sql(`update payment_orders set status = 'PAID', paid_at = '2026-02-02 12:00Z' where id = $1`, id);
  await rebuild();
  expect(await paidAt(id)).toEqual({ status: 'FINAL', paid: '2026-02-02' });
});

it('says of an order that was never paid no date when it was', async () => {
  const id = await begin();
  await market.sql(`update payment_orders set status = 'PAID', paid_at = now() where id = $1`, id);
  expect((await rebuild()).rebuilt).toMatchObject({ written: 1, left: [] });
  expect(await paidAt(id)).toEqual({ status: 'CREATED', paid: null });
});
