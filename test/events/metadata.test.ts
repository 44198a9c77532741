import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter, type Scene } from '../../src/database/scene.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { link } from '../identity/linker.ts';
import { join } from '../identity/merger.ts';
import { sceneOf } from '../identity/scenes.ts';
import { enterHouse, newWallet, rowId, sessionIdOf } from '../identity/visitor.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from '../payments/market.ts';
import { refunding } from '../payments/refunding.ts';
import { memberScene } from '../support/tenants.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { openTwoTenants, type TwoTenants } from '../tenancy/changing.ts';
import { makeKey } from '../tenancy/keyHolder.ts';
import { act, rowsOf } from '../tenancy/operatorHouse.ts';
import { giveRole } from '../tenancy/roleMaker.ts';
import { enterOperator } from '../tenancy/subscriber.ts';

interface Told {
  readonly id: string;
  readonly type: string;
  readonly organization: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The facts that this finds, with what they came of, in the order of the log. */
async function told(house: Pick<TestTollhouse, 'database'>, where: string, ...values: unknown[]): Promise<Told[]> {
  const rows = await rowsOf(
    house,
    `select id, type, organization_id as organization, metadata from events where ${where} order by position`,
    values,
  );
  return rows as unknown as Told[];
}

/** What only the fact itself decides about, without its request. */
const linksOf = ({ metadata }: Told) => ({
  source: metadata.source,
  sessionId: metadata.sessionId,
  causationId: metadata.causationId,
  correlationId: metadata.correlationId,
});

/** Each follows from the one before, and all have what the first one has in common. */
function expectChain(facts: readonly Told[]): void {
  const [first] = facts;
  expect(facts.map(({ metadata }) => metadata.causationId)).toEqual([
    undefined,
    ...facts.slice(0, -1).map(({ id }) => id),
  ]);
  expect(first?.metadata.correlationId).toBe(first?.metadata.requestId);
  expect(new Set(facts.map(({ metadata }) => metadata.correlationId)).size).toBe(1);
}

describe('what facts of payments came of', () => {
  let market: Market;
  const { sell, addressed, sendBack, settle } = refunding(() => market);
  beforeAll(async () => {
    market = await openMarket();
  });
  afterAll(() => market.close());

  it('is the sign-up that made a person and an organization', async () => {
    const facts = await told(market.house, 'organization_id = $1', rowId(market.merchant.organizationId));
    expect(facts.map(({ type }) => type).slice(0, 2)).toEqual(['organization.created', 'user.signed-up']);
    expectChain(facts.slice(0, 2));
    expect(facts.slice(0, 2).map(({ metadata }) => metadata.source)).toEqual(['identity', 'identity']);
  });

  it('is one request of a payer, through all that the worker makes of it', { timeout: 120_000 }, async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const payer = await newPayer(market);
    const order = await makeOrder(market, { slug, payer: payer.address });
    await payer.pay(order, { units: 5_000_000n });
    await market.mine(3);
    await market.watch();
    await payer.pay(order, { units: BigInt(order.due.units) - 5_000_000n });
    await market.mine(3);
    await market.watch();
    const { id, status } = await stateOf(market, order);
    expect(['PAID', 'FINAL']).toContain(status);
    const facts = await told(market.house, 'aggregate_id = $1', id);
    expect(facts.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['payment-order.created', 'payment-order.detected', 'payment-order.paid']),
    );
    expectChain(facts);
    expect(facts.map(({ metadata }) => metadata.source)).toEqual(['public', ...facts.slice(1).map(() => 'worker')]);
    expect(facts.filter(({ metadata }) => 'sessionId' in metadata)).toEqual([]);
    // another order of the same link has nothing to do with it
    const other = await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    const [begun] = await told(market.house, 'aggregate_id = $1', (await stateOf(market, other)).id);
    expect(begun && linksOf(begun)).toEqual({ source: 'public', correlationId: begun?.metadata.requestId });
    expect(begun?.metadata.correlationId).not.toBe(facts[0]?.metadata.correlationId);
  });

  it('is the request for a refund, of the refund and of its order, until it is sent', {
    timeout: 120_000,
  }, async () => {
    const { shop, payer, orderId } = await sell();
    const refund = await addressed(shop, orderId, '2', payer.address);
    await sendBack(shop, refund);
    await settle();
    await settle();
    await settle();
    const about = await told(
      market.house,
      `organization_id = $1 and (aggregate_type = 'payment-refund' or type = 'payment-order.refund-changed')`,
      rowId(shop.organizationId),
    );
    const typed = (type: string): Told | undefined => about.find((fact) => fact.type === type);
    const [requested, changed] = about;
    expect([requested?.type, changed?.type]).toEqual(['payment-refund.requested', 'payment-order.refund-changed']);
    const [session] = await market.sql<{ id: string }>(
      'select id from sessions where user_id = $1',
      rowId(shop.userId),
    );
    expect(requested && linksOf(requested)).toEqual({
      source: 'member',
      sessionId: session?.id,
      correlationId: requested?.metadata.requestId,
    });
    expect(changed && linksOf(changed)).toEqual({
      source: 'member',
      sessionId: session?.id,
      causationId: requested?.id,
      correlationId: requested?.metadata.requestId,
    });
    // where to is another request
    const where = typed('payment-refund.addressed');
    expect(where?.metadata).not.toHaveProperty('causationId');
    const completed = typed('payment-refund.completed');
    const before = typed('payment-refund.sent') ?? where;
    expect(completed && linksOf(completed)).toEqual({
      source: 'worker',
      causationId: before?.id,
      correlationId: where?.metadata.requestId,
    });
    expect(about.at(-1)?.metadata).toMatchObject({ causationId: completed?.id, source: 'worker' });
    expect(about.at(-1)?.type).toBe('payment-order.refund-changed');
  });

  it('is the payer’s request too of a refund that the worker asks for by itself', { timeout: 120_000 }, async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const payer = await newPayer(market);
    const order = await makeOrder(market, { slug, payer: payer.address });
    const { id } = await stateOf(market, order);
    await market.sql(`update payment_orders set over_policy = 'REFUND' where id = $1`, id);
    await payer.pay(order, { units: 15_000_000n });
    await settle();
    await settle();
    const ofOrder = await told(market.house, 'aggregate_id = $1', id);
    const [requested] = await told(
      market.house,
      `type = 'payment-refund.requested' and tags @> array['payment-order:' || $1::uuid]`,
      id,
    );
    expect(requested?.metadata).toMatchObject({
      source: 'worker',
      correlationId: ofOrder[0]?.metadata.requestId,
      causationId: expect.any(String),
    });
    expect(ofOrder.map((fact) => fact.id)).toContain(requested?.metadata.causationId);
    expect(new Set(ofOrder.map(({ metadata }) => metadata.correlationId))).toEqual(
      new Set([ofOrder[0]?.metadata.requestId]),
    );
  });

  it('is shown with a fact, but for the session and the address', async () => {
    const asked = await market.house.ask<{ organization: { events: { edges: { node: object }[] } } }>(
      `{ organization { events(first: 2) { edges { node {
        id type requestId correlationId causationId source } } } } }`,
      {},
      { token: market.merchant.accessToken },
    );
    const facts = await told(market.house, 'organization_id = $1', rowId(market.merchant.organizationId));
    expect(asked.data?.organization.events.edges.map(({ node }) => node)).toEqual(
      facts.slice(0, 2).map(({ id, type, metadata }) => ({
        id,
        type,
        requestId: metadata.requestId,
        correlationId: metadata.correlationId,
        causationId: metadata.causationId ?? null,
        source: 'identity',
      })),
    );
    for (const field of ['sessionId', 'clientAddress', 'userAgent', 'metadata']) {
      const { errors } = await market.house.ask(
        `{ organization { events(first: 1) { edges { node { ${field} } } } } }`,
        {},
        { token: market.merchant.accessToken },
      );
      expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    }
  });
});

describe('what facts of organizations came of', () => {
  let two: TwoTenants;
  beforeAll(async () => {
    two = await openTwoTenants();
  });
  afterAll(() => two.house.stop());

  const FORGED = {
    sessionId: newId(),
    source: 'operator',
    causationId: newId(),
    correlationId: 'forged',
    clientAddress: '203.0.113.9',
    requestId: 'raw',
  };

  interface NewFact {
    readonly organization: string;
    readonly wallet: string;
    /** Its place among those that are told with it when absent. */
    readonly version?: number;
    readonly metadata?: object;
  }

  /** Tells facts as statements of a scene, in one transaction, and answers them as they stand in the log. */
  async function tell(scene: Scene | null, ...facts: readonly NewFact[]): Promise<Told[]> {
    const client = new pg.Client({
      connectionString: scene ? two.house.database.gatewayUrl : two.house.database.adminUrl,
    });
    await client.connect();
    try {
      await client.query('begin');
      if (scene) await client.query(enter(scene) as pg.QueryConfig);
      for (const [index, { organization, wallet, version, metadata = {} }] of facts.entries()) {
        await client.query(
          `insert into events (
             organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
           )
           values ($1, 'wallet.linked', 'wallet', $2, $3, coalesce(current_actor(), 'worker'),
             array['wallet:' || $2::uuid], '{}', $4)`,
          [organization, wallet, version ?? index + 1, JSON.stringify(metadata)],
        );
      }
      await client.query('commit');
    } finally {
      await client.end();
    }
    return told(two.house, 'aggregate_id = any ($1)', [...new Set(facts.map(({ wallet }) => wallet))]);
  }

  it('is what a member’s session asked for', async () => {
    const { errors } = await two.house.ask(
      `mutation ($input: UpdateOrganizationInput!) { updateOrganization(input: $input) { replayed } }`,
      { input: { description: 'Tea.' } },
      { token: await two.tokenOf(two.one), headers: { 'x-request-id': 'tea-please-1' } },
    );
    expect(errors).toEqual([]);
    const [fact] = await told(two.house, `type = 'organization.updated'`);
    expect(fact?.metadata).toMatchObject({
      requestId: 'tea-please-1',
      correlationId: 'tea-please-1',
      source: 'member',
      sessionId: two.one.people.OWNER.sessionId,
      clientAddress: expect.any(String),
    });
    expect(fact?.metadata).not.toHaveProperty('causationId');
  });

  it('is what an API key asked for, which has no session, and may not read the log', async () => {
    const { text } = await makeKey(two.house, await two.tokenOf(two.one), {
      scopes: ['payments:write', 'payment-links:read'],
    });
    const { errors } = await two.house.ask(
      `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { replayed } }`,
      {
        input: {
          title: 'Tea',
          accepts: [{ asset: two.world.coin.caip19, amount: '1', payTo: two.one.people.OWNER.address }],
        },
      },
      { headers: { authorization: `Bearer ${text}` } },
    );
    expect(errors).toEqual([]);
    const [fact] = await told(two.house, `type = 'payment-link.created' and actor ~ '^key:'`);
    expect(fact && linksOf(fact)).toEqual({ source: 'key', correlationId: fact?.metadata.requestId });
  });

  it('is what an operator did, and not with which session', async () => {
    const operator = await enterOperator(two.house);
    const organizationId = encodeGlobalId('Organization', two.other.organizationId);
    for (const deed of ['suspendOrganization', 'restoreOrganization'] as const) {
      expect((await act(two.house, { token: operator.accessToken, deed, organizationId })).errors).toEqual([]);
    }
    const facts = await told(two.house, `organization_id = $1 and actor ~ '^operator:'`, two.other.organizationId);
    expect(facts).toHaveLength(2);
    for (const fact of facts) {
      expect(linksOf(fact)).toEqual({ source: 'operator', correlationId: fact.metadata.requestId });
      expect(fact.metadata).not.toHaveProperty('clientAddress');
    }
  });

  it('is told elsewhere without the session and what it follows from here', async () => {
    const person = await enterHouse(two.house);
    const elsewhere = await enterHouse(two.house);
    await join(two.house, person, elsewhere.viewer.organization.id, 'MEMBER');
    expect((await link(two.house, person, newWallet())).code).toBe('OK');
    const facts = await told(
      two.house,
      `type = 'wallet.linked' and actor = $1`,
      `user:${rowId(person.viewer.user.id)}`,
    );
    const of = ({ viewer }: typeof person) =>
      facts.find(({ organization }) => organization === rowId(viewer.organization.id));
    const here = of(person);
    const there = of(elsewhere);
    expect(facts).toHaveLength(2);
    expect(here?.metadata).toMatchObject({ source: 'member', sessionId: sessionIdOf(person) });
    expect(here?.metadata).toHaveProperty('clientAddress');
    expect(there?.metadata).toEqual({
      requestId: here?.metadata.requestId,
      correlationId: here?.metadata.requestId,
      source: 'member',
    });

    // nor does a fact of one organization follow from one of another, whatever both are about
    const [mine, theirs] = [rowId(person.viewer.organization.id), rowId(elsewhere.viewer.organization.id)];
    const wallet = newId();
    const [first, second, third] = await tell(
      sceneOf(person),
      { organization: mine, wallet },
      { organization: theirs, wallet },
      { organization: mine, wallet },
    );
    expect(second?.metadata).toEqual({ requestId: 'raw', correlationId: 'raw', source: 'member' });
    expect(third?.metadata).toMatchObject({ causationId: first?.id });
  });

  it('is not what whoever tells says that it is', async () => {
    const { organizationId, people } = two.one;
    const [fact] = await tell(memberScene(two.one, 'OWNER', 'the-scene'), {
      organization: organizationId,
      wallet: newId(),
      metadata: FORGED,
    });
    expect(fact?.metadata).toEqual({
      requestId: 'raw',
      correlationId: 'raw',
      source: 'member',
      sessionId: people.OWNER.sessionId,
      clientAddress: '203.0.113.9',
    });
    const [another] = await tell(memberScene(two.one, 'OWNER', 'the-scene'), {
      organization: organizationId,
      wallet: newId(),
      metadata: [FORGED],
    });
    expect(another?.metadata).toEqual({
      requestId: 'the-scene',
      correlationId: 'the-scene',
      source: 'member',
      sessionId: people.OWNER.sessionId,
    });
  });

  it('is found for members who may not read the log, and for nobody in another transaction but the worker', async () => {
    const { organizationId, people } = two.one;
    await giveRole(two.house, two.one, ['organization:read']);
    const scene = memberScene(two.one, 'MEMBER', 'unreading');
    const wallet = newId();
    const organization = organizationId;
    const [first, second] = await tell(scene, { organization, wallet }, { organization, wallet });
    expect(second && linksOf(second)).toEqual({
      source: 'member',
      sessionId: people.MEMBER.sessionId,
      causationId: first?.id,
      correlationId: 'unreading',
    });
    const unread = await two.house.ask(
      '{ organization { events(first: 1) { edges { node { causationId } } } } }',
      {},
      { token: await two.tokenOf(two.one, 'MEMBER') },
    );
    expect(unread.data?.organization).toEqual({ events: { edges: [] } });
    const next = async (who: Scene, version: number): Promise<Told | undefined> =>
      (await tell(who, { organization, wallet, version })).at(-1);
    const third = await next({ ...scene, requestId: 'again' }, 3);
    expect(third && linksOf(third)).toEqual({
      source: 'member',
      sessionId: people.MEMBER.sessionId,
      correlationId: 'again',
    });
    const fourth = await next({ kind: 'worker', requestId: 'work', organizationId }, 4);
    expect(fourth && linksOf(fourth)).toEqual({ source: 'worker', causationId: third?.id, correlationId: 'again' });
  });

  it('is nothing but the door where whoever has the database tells it without a request', async () => {
    const [fact] = await tell(null, { organization: two.one.organizationId, wallet: newId() });
    expect(fact?.metadata).toEqual({ source: 'owner' });
  });
});
