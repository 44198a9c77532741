import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PacketObserver } from '../../src/database/pool.ts';
import { withSession } from '../../src/database/session.ts';
import { freshDatabase } from '../support/database.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { type AnsweredError, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Fate, openWire, type Wire } from '../support/wire.ts';

let tollhouse: TestTollhouse;
let world: World;
let one: Tenant;
let token: string;
let wire: Wire;
let watch: PacketObserver = () => {};

beforeAll(async () => {
  const database = await freshDatabase();
  world = await seedTenants(database.adminUrl, { tenants: 1 });
  [one] = world.tenants as [Tenant];
  wire = await openWire(database.gatewayUrl);
  tollhouse = await startTollhouse({
    database: { ...database, gatewayUrl: wire.through(database.gatewayUrl) },
    onPacket: (statements) => watch(statements),
  });
  const { organizationId, people } = one;
  ({ token } = await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId }));
});
afterAll(async () => {
  await tollhouse.stop();
  await wire.close();
});

const MADE = 'paymentLink { id title } replayed';

interface Made {
  readonly data?: { readonly id: string; readonly replayed: boolean };
  readonly error?: Partial<AnsweredError['extensions']>;
}

async function make(title: string, key: string | null = null, fields = MADE): Promise<Made> {
  const accepts = [{ asset: world.coin.caip19, amount: '1', payTo: one.people.OWNER.address }];
  const { data, errors } = await tollhouse.ask<{
    createPaymentLink: { paymentLink: { id: string }; replayed: boolean };
  }>(
    `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { ${fields} } }`,
    { input: { title, accepts, idempotencyKey: key } },
    { token },
  );
  const [error] = errors;
  if (error) return { error: error.extensions };
  const { paymentLink, replayed = false } = data?.createPaymentLink ?? {};
  return { data: { id: paymentLink?.id ?? '', replayed } };
}

/** How many links of this title there are, and how many events say that one was made. */
async function told(title: string): Promise<[links: number, events: number]> {
  return withSession(tollhouse.database.adminUrl, async (client) => {
    const { rows } = await client.query(
      `select (select count(*)::int from payment_links where title = $1) as links,
         (select count(*)::int from events where data ->> 'title' = $1) as events`,
      [title],
    );
    return [rows[0]?.links, rows[0]?.events];
  });
}

const FATES: readonly [fate: Fate, links: number][] = [
  ['unheard', 0],
  ['unanswered', 1],
  ['half answered', 1],
  ['dismissed', 1],
];

describe('a deed whose answer from the database is lost', () => {
  it.each(FATES)('with a key, %s, may simply be tried again, and is done once', async (fate, links) => {
    const title = `Keyed ${fate}`;
    const key = randomUUID();
    const [lost] = await Promise.all([make(title, key), wire.strike(title, fate)]);
    expect(lost.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(await told(title)).toEqual([links, links]);
    const again = await make(title, key);
    expect(again).toEqual({ data: { id: expect.any(String), replayed: links === 1 } });
    expect(await make(title, key)).toEqual({ data: { id: again.data?.id, replayed: true } });
    expect(await told(title)).toEqual([1, 1]);
  });

  it.each(FATES)('without a key, %s, may not be tried again: nobody knows whether it was done', async (fate, links) => {
    const title = `Keyless ${fate}`;
    const [lost] = await Promise.all([make(title), wire.strike(title, fate)]);
    expect(lost.error).toMatchObject({ code: 'OUTCOME_UNKNOWN', retryable: false });
    expect(await told(title)).toEqual([links, links]);
  });

  it('that was done and cannot be shown does not say that it may be tried again', async () => {
    // Two pages of one list cannot be read in one query, so one is read after the deed.
    const fields =
      'paymentLink { id a: orders(first: 1) { edges { node { id } } } b: orders(first: 2) { edges { node { id } } } }';
    const [lost] = await Promise.all([make('Unshown', null, fields), strikeEach('/* findUnique PaymentLink */')]);
    expect(await told('Unshown')).toEqual([1, 1]);
    expect(lost.error).toMatchObject({ code: 'ANSWER_LOST', retryable: false });
  });
});

/** Cuts the connection under a read that says this, and under each time that it is tried again. */
async function strikeEach(said: string): Promise<void> {
  const struck: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    watch = (statements) => {
      // The deed reads what it made in its own packet.
      if (statements.length !== 2 || !statements[1]?.text.includes(said)) return;
      struck.push(wire.strike(one.people.OWNER.sessionId, 'unheard'));
      if (struck.length === 3) resolve();
    };
  });
  watch = () => {};
  await Promise.all(struck);
}
