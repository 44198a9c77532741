import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowId } from '../identity/visitor.ts';
import { CREATE_ORDER, type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from '../payments/market.ts';
import { refunding } from '../payments/refunding.ts';
import { expectChain, linksOf, type Told, told } from './origins.ts';

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

  it('is what a payer asked for, through all that the worker makes of it', { timeout: 120_000 }, async () => {
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
  });

  it('is mixed up with nothing else by a payer who chooses what their request is called', async () => {
    const { slug, id } = await makeLink(market);
    const [another] = await told(market.house, 'aggregate_id = $1', rowId(id));
    const requestId = another?.metadata.correlationId ?? '';
    for (const { address } of [await newPayer(market), await newPayer(market)]) {
      const input = { slug, payer: address };
      const { errors } = await market.house.ask(CREATE_ORDER, { input }, { headers: { 'x-request-id': requestId } });
      expect(errors).toEqual([]);
    }
    const facts = await told(
      market.house,
      `type = 'payment-order.created' and metadata ->> 'requestId' = $1`,
      requestId,
    );
    expect(facts).toHaveLength(2);
    expect(facts.map(linksOf)).toEqual(facts.map((fact) => ({ source: 'public', correlationId: fact.id })));
  });

  it('is for money that nobody awaited the fact itself, whichever worker saw it', { timeout: 120_000 }, async () => {
    await makeLink(market);
    await market.watch();
    for (const units of [1_110_000n, 2_220_000n]) {
      await (await newPayer(market)).transfer(market.merchant.account.address, units);
    }
    await settle();
    await settle();
    const facts = await told(
      market.house,
      `organization_id = $1 and type = 'unmatched-payment.received'`,
      rowId(market.merchant.organizationId),
    );
    expect(facts).toHaveLength(2);
    expect(facts.map(linksOf)).toEqual(facts.map((fact) => ({ source: 'worker', correlationId: fact.id })));
    expect(new Set(facts.map(({ metadata }) => metadata.requestId)).size).toBe(1);
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
      correlationId: requested?.id,
    });
    expect(changed && linksOf(changed)).toEqual({
      source: 'member',
      sessionId: session?.id,
      causationId: requested?.id,
      correlationId: requested?.id,
    });
    // where to is another request
    const where = typed('payment-refund.addressed');
    expect(where?.metadata).not.toHaveProperty('causationId');
    const completed = typed('payment-refund.completed');
    const before = typed('payment-refund.sent') ?? where;
    expect(completed && linksOf(completed)).toEqual({
      source: 'worker',
      causationId: before?.id,
      correlationId: where?.id,
    });
    expect(about.at(-1)?.metadata).toMatchObject({ causationId: completed?.id, source: 'worker' });
    expect(about.at(-1)?.type).toBe('payment-order.refund-changed');
  });

  it('is what the payer asked for too of a refund that the worker asks for by itself', {
    timeout: 120_000,
  }, async () => {
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
      correlationId: ofOrder[0]?.id,
      causationId: expect.any(String),
    });
    expect(ofOrder.map((fact) => fact.id)).toContain(requested?.metadata.causationId);
    expect(new Set(ofOrder.map(({ metadata }) => metadata.correlationId))).toEqual(new Set([ofOrder[0]?.id]));
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
