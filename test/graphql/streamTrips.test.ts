import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../src/database/packet.ts';
import { currentScene } from '../../src/database/scene.ts';
import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { openStream, type Stream } from '../identity/stream.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

/** What was sent, by whose request: that of a stream is the one that opened it. */
let sent: { readonly requestId: string; readonly names: string; readonly values: string }[] = [];

let house: TestTollhouse;
let tenant: Tenant;
let token: string;
beforeAll(async () => {
  house = await startTollhouse({
    onPacket: (statements) =>
      sent.push({
        requestId: currentScene.getStore()?.requestId ?? '',
        names: namesOf(statements),
        values: JSON.stringify(statements.map(({ values }) => values)),
      }),
  });
  const { tenants } = await seedTenants(house.database.adminUrl, { tenants: 1 });
  tenant = tenants[0] as Tenant;
  const { organizationId, people } = tenant;
  ({ token } = await house.resources.tokens.issue({ ...people.OWNER, organizationId }));
});
afterAll(() => house.stop());

/** The statements of a packet by their names; a read of ours by its table. */
function namesOf(packet: readonly Statement[]): string {
  return packet
    .map(({ text }) => /^\s*\/\* (\w+) \*\//.exec(text)?.[1] ?? /\bfrom (\w+) t0\b/.exec(text)?.[1] ?? text)
    .join(' + ');
}

/** Makes something of the tenant's first order another, and tells of it. */
async function moveOrder(): Promise<void> {
  const values = [tenant.organizationId, tenant.orders[0]?.id];
  await withSession(house.database.adminUrl, async (client) => {
    await client.query('begin');
    await client.query(
      'update payment_orders set credited_units = credited_units + 1 where organization_id = $1 and id = $2',
      values,
    );
    await client.query(
      `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
       select $1, 'payment-order.credited', 'payment-order', $2, coalesce(max(aggregate_version), 0) + 1, 'worker', '{}', '{}'
       from events where organization_id = $1 and aggregate_type = 'payment-order' and aggregate_id = $2`,
      values,
    );
    await client.query('commit');
  });
}

/** Waits until nothing more is sent for any of these. */
async function quiet(requestIds: readonly string[]): Promise<void> {
  for (let before = -1, now = 0; before !== now; ) {
    before = now;
    await sleep(300);
    now = sent.filter(({ requestId }) => requestIds.includes(requestId)).length;
  }
}

/** Moves the order, and answers what was sent for a stream until it has said so; the least of several times. */
async function costOf(streams: readonly Stream<unknown>[], requestIds: readonly string[]): Promise<string[][]> {
  const costs: string[][] = requestIds.map(() => []);
  // where much else runs, what a stream says may often be what it had read before
  for (let time = 0; time < 4 || (time < 40 && costs.some(({ length }) => length === 0)); time += 1) {
    await quiet(requestIds);
    sent = [];
    await moveOrder();
    expect(await Promise.all(streams.map((stream) => stream.nextCode()))).toEqual(streams.map(() => 'OK'));
    for (const [index, id] of requestIds.entries()) {
      const cost = sent.filter(({ requestId }) => requestId === id).map(({ names }) => names);
      // the first time the topic may not have been asked for yet, each few seconds a stream looks by itself, and what it
      // says then may be what it had read before
      const least = costs[index]?.length || Number.POSITIVE_INFINITY;
      if (time > 0 && cost.length > 0 && cost.length < least) costs[index] = cost;
    }
  }
  return costs;
}

const order = (): string => encodeGlobalId('PaymentOrder', tenant.orders[0]?.id ?? '');

/** What one fact costs a subscriber, packet by packet. */
const COSTS: readonly [what: string, query: () => string, atOnce: boolean, cost: readonly string[]][] = [
  ['events', () => 'subscription { events { cursor node { type data } } }', false, ['enterMember + readEvents']],
  [
    'paymentOrderChanged, of one order',
    () => `subscription { paymentOrderChanged(orderId: "${order()}") { id status transactions { hash } } }`,
    true,
    ['enterMember + readOrderVersion', 'enterMember + payment_orders'],
  ],
  [
    'paymentOrderChanged, of all orders',
    () => 'subscription { paymentOrderChanged { id status transactions { hash } } }',
    false,
    ['enterMember + readOrderChanges', 'enterMember + payment_orders'],
  ],
  [
    'checkoutOrderChanged',
    () => `subscription { checkoutOrderChanged(token: "${tenant.orders[0]?.token}") { status transactions { hash } } }`,
    true,
    ['enterPublic + readCheckoutVersion', 'enterPublic + payment_orders + checkoutFacts'],
  ],
];

async function open(query: string, atOnce: boolean): Promise<{ stream: Stream<unknown>; requestId: string }> {
  const requestId = newId();
  const stream = await openStream(house.url, query, token, { 'x-request-id': requestId });
  if (atOnce) expect(await stream.nextCode()).toBe('OK');
  while (!sent.some((packet) => packet.requestId === requestId)) await sleep(20);
  return { stream, requestId };
}

describe('one fact', () => {
  it.each(COSTS)(
    'costs each subscriber of %s so many statements, each in one round trip',
    async (_, query, atOnce, cost) => {
      const opened = [await open(query(), atOnce), await open(query(), atOnce)];
      const costs = await costOf(
        opened.map(({ stream }) => stream),
        opened.map(({ requestId }) => requestId),
      );
      expect(costs).toEqual([cost, cost]);
      for (const { stream } of opened) stream.leave();
    },
  );

  it('is asked for by one question of the whole process, however many wait for it', async () => {
    const opened = [];
    for (const [, query, atOnce] of COSTS) opened.push(await open(query(), atOnce));
    await quiet(opened.map(({ requestId }) => requestId));
    sent = [];
    await moveOrder();
    await Promise.all(opened.map(({ stream }) => stream.nextCode()));
    const questions = sent.filter(({ names }) => names.includes('readStreamEnds'));
    expect(questions.length).toBeGreaterThan(0);
    const { organizationId, orders } = tenant;
    for (const { names, values } of questions) {
      expect(names).toBe('enterWorker + readStreamEnds');
      expect(values).toContain(`events:${organizationId}`);
      expect(values).toContain(`payment-order:${organizationId}:${orders[0]?.id}`);
    }
    for (const { stream } of opened) stream.leave();
  });
});
