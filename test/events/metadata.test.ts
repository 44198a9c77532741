import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter, type Scene } from '../../src/database/scene.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { link } from '../identity/linker.ts';
import { join } from '../identity/merger.ts';
import { sceneOf } from '../identity/scenes.ts';
import { enterHouse, newWallet, rowId, sessionIdOf } from '../identity/visitor.ts';
import { memberScene } from '../support/tenants.ts';
import { openTwoTenants, type TwoTenants } from '../tenancy/changing.ts';
import { makeKey } from '../tenancy/keyHolder.ts';
import { act } from '../tenancy/operatorHouse.ts';
import { giveRole } from '../tenancy/roleMaker.ts';
import { enterOperator } from '../tenancy/subscriber.ts';
import { linksOf, type Told, told } from './origins.ts';

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
    note: 'anything else',
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
      correlationId: fact?.id,
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
    expect(fact && linksOf(fact)).toEqual({ source: 'key', correlationId: fact?.id });
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
      expect(linksOf(fact)).toEqual({ source: 'operator', correlationId: fact.id });
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
      correlationId: there?.id,
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
    expect(second?.metadata).toEqual({ requestId: 'raw', correlationId: second?.id, source: 'member' });
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
      correlationId: fact?.id,
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
      correlationId: another?.id,
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
      correlationId: first?.id,
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
      correlationId: third?.id,
    });
    const fourth = await next({ kind: 'worker', requestId: 'work', organizationId }, 4);
    expect(fourth && linksOf(fourth)).toEqual({ source: 'worker', causationId: third?.id, correlationId: third?.id });
  });

  it('is the door alone where whoever has the database tells it without a request', async () => {
    const [fact] = await tell(null, { organization: two.one.organizationId, wallet: newId() });
    expect(fact?.metadata).toEqual({ source: 'owner', correlationId: fact?.id });
  });
});
