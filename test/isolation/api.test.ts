import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { showAddress } from '../../src/kernel/address.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { sealAll } from '../audit/chains.ts';
import { type CountedTollhouse, startCountedTollhouse } from '../graphql/trips.ts';
import { SEED, sample } from '../support/scale.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import type { Answer } from '../support/tollhouse.ts';
import { API_KEYS, apiKeyProbes } from './apiKeyProbes.ts';
import { entryIds, globalId, idPairsOf, ROWS, types } from './apiRows.ts';
import { nodeTypes, readSchema, textArguments } from './arguments.ts';
import { auditProbes } from './auditProbes.ts';
import { deletionProbes } from './deletionProbes.ts';
import { emailProbes } from './emailProbes.ts';
import { eventProbes } from './eventProbes.ts';
import { INVITATIONS, invitationProbes } from './invitationProbes.ts';
import { linkProbes } from './linkProbes.ts';
import { membershipProbes } from './membershipProbes.ts';
import { mergeProbes } from './mergeProbes.ts';
import { operatorProbes } from './operatorProbes.ts';
import { orderProbes } from './orderProbes.ts';
import { organizationProbes } from './organizationProbes.ts';
import { paymentProbes } from './paymentProbes.ts';
import type { Pair, Probe } from './probe.ts';
import { INBOX, PROVIDED, REFUNDS, refundProbes } from './refundProbes.ts';
import { ROLES, roleProbes } from './roleProbes.ts';
import { sessionProbes } from './sessionProbes.ts';
import { signInProbes } from './signInProbes.ts';
import { STREAM_PROBES } from './streamProbes.ts';
import { THIRDWEB_SETTINGS, thirdwebProbes } from './thirdwebProbes.ts';
import { walletProbes } from './walletProbes.ts';
import { wordProbes } from './wordProbes.ts';

let tollhouse: CountedTollhouse;
let world: World;
let one: Tenant;
let other: Tenant;
let token: string;

beforeAll(async () => {
  tollhouse = await startCountedTollhouse({ limits: false, settings: THIRDWEB_SETTINGS });
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [one, other] = world.tenants as [Tenant, Tenant];
  // so that where a cursor of theirs stands among our rows does not hang on its id
  await admin(`update payment_links set created_at = created_at + interval '10 min' where organization_id = $1`);
  await admin(`update payment_orders set created_at = created_at + interval '10 min' where organization_id = $1`);
  await admin(
    `update blockchain_transactions set created_at = created_at + interval '10 min' where organization_id = $1`,
  );
  await admin(`update memberships set created_at = created_at + interval '10 min' where organization_id = $1`);
  // so that they can be named below
  await admin('update memberships set id = user_id', []);
  await admin(API_KEYS);
  await admin(INVITATIONS);
  await admin(ROLES);
  for (const seed of [INBOX, REFUNDS, PROVIDED]) await admin(seed);
  await admin(`update sessions set created_at = created_at + interval '10 min' where organization_id = $1`);
  await admin(`
    update identities set created_at = created_at + interval '10 min'
    where user_id in (select user_id from memberships where organization_id = $1)`);
  await admin(`
    update audit_entries
    set created_at = audit_entries.created_at + interval '10 min', request_id = gen_random_uuid()::text, user_id = m.user_id
    from memberships m where m.organization_id = $1 and audit_entries.organization_id = $1`);
  for (const { organization_id, id } of await admin('select organization_id, id from audit_entries', [])) {
    entryIds.set(String(organization_id), String(id));
  }
  await sealAll(tollhouse.database);
});
// At the full figures all of it takes longer than a token lives.
beforeEach(async () => {
  token = await tokenOf(one);
});
afterAll(() => tollhouse.stop());

async function admin(text: string, values: unknown[] = [other.organizationId]): Promise<Record<string, unknown>[]> {
  return tollhouse.database.sql(text, values);
}

async function tokenOf({ organizationId, people }: Tenant): Promise<string> {
  return (await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId })).token;
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

const idPairs = (): Pair[] => idPairsOf(other);

/** What a slug or a token is not, though it names something of the other tenant. */
const namePairs = (): Pair[] => [
  ...types.map((type): Pair => [ROWS[type]?.(other) ?? '', newId()]),
  ...types.map((type): Pair => [globalId(type, other), encodeGlobalId(type, newId())]),
  [other.marker, `tenant-9-${hex(4)}`],
  [other.transactions[0]?.hash ?? '', `0x${hex(32)}`],
];

const addressPairs = (): Pair[] => [
  [showAddress(other.people.OWNER.address), showAddress(`0x${hex(20)}`)],
  [other.people.MEMBER.address, `0x${hex(20)}`],
];

/** A key that the other tenant has used, for a link and for an order of its own. */
async function keyPairs(): Promise<Pair[]> {
  const theirs = hex(16);
  const variables = {
    key: theirs,
    payTo: other.people.OWNER.address,
    asset: world.coin.caip19,
    slug: other.links[0]?.slug,
  };
  const made = await tollhouse.ask(
    `mutation ($key: String!, $payTo: Address!, $asset: String!, $slug: String!) {
      createPaymentLink(input: {
        title: "x", accepts: [{ asset: $asset, amount: "1", payTo: $payTo }], idempotencyKey: $key
      }) { replayed }
      createPaymentOrder(input: { slug: $slug, payer: "${`0x${'1'.repeat(40)}`}", idempotencyKey: $key }) { replayed }
    }`,
    variables,
    { token: await tokenOf(other) },
  );
  expect(made.errors).toEqual([]);
  return [[theirs, hex(16)]];
}

async function askAsOther(query: string, key: string): Promise<Answer<unknown>> {
  return tollhouse.ask(query, { key }, { token: await tokenOf(other) });
}

/** Cursors of the other tenant's rows, and of the same moments with ids of nobody. */
async function cursorPairs(table: string): Promise<Pair[]> {
  const rows = await admin(
    `select id, extract(epoch from created_at) * 1000 as ms from ${table} where organization_id = $1`,
  );
  return rows.map(({ id, ms }): Pair => [cursorOf(Number(ms), String(id)), cursorOf(Number(ms), newId())]);
}

function cursorOf(ms: number, id: string): string {
  const bytes = Buffer.alloc(22);
  bytes.writeUIntBE(ms, 0, 6);
  bytes.write(id.replaceAll('-', ''), 6, 'hex');
  return bytes.toString('base64url');
}

function connectionProbes(field: string, table: string): Record<string, Probe> {
  const probe = (argument: string): Probe => ({
    query: `query ($value: String) { organization { ${field}(${argument}: $value) {
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } } }`,
    pairs: () => cursorPairs(table),
  });
  return { [`Organization.${field}.after`]: probe('after'), [`Organization.${field}.before`]: probe('before') };
}

function nestedOrdersProbe(argument: string): Probe {
  return {
    query: `query ($value: String) { organization { paymentLinks { edges { node {
      orders(${argument}: $value) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }
    } } } } }`,
    pairs: () => cursorPairs('payment_orders'),
  };
}

/** Every text that a client can write, by where it goes; with a reason where it names no row of any tenant. */
const ARGUMENTS: Readonly<Record<string, Probe | string>> = {
  'Query.node.id': {
    query: 'query ($value: ID!) { node(id: $value) { __typename id } }',
    pairs: () => [...idPairs(), ...namePairs()],
  },
  'Query.nodes.ids': {
    query: 'query ($value: [ID!]!) { nodes(ids: $value) { __typename id } }',
    variables: (value) => ({ value: [value, globalId('PaymentLink', one), value] }),
    pairs: () => [...idPairs(), ...namePairs()],
  },
  'Query.checkout.slug': {
    query: 'query ($value: String!) { checkout(slug: $value) { slug title status organizationName } }',
    pairs: namePairs,
  },
  'Query.checkoutOrder.token': {
    query: 'query ($value: String!) { checkoutOrder(token: $value) { token slug status due { amount } } }',
    pairs: namePairs,
  },
  ...connectionProbes('auditEntries', 'audit_entries'),
  ...auditProbes({ idPairs, admin }),
  ...connectionProbes('domains', 'organization_domains'),
  ...connectionProbes('paymentLinks', 'payment_links'),
  ...connectionProbes('paymentOrders', 'payment_orders'),
  ...connectionProbes('blockchainTransactions', 'blockchain_transactions'),
  'PaymentLink.orders.after': nestedOrdersProbe('after'),
  'PaymentLink.orders.before': nestedOrdersProbe('before'),
  ...paymentProbes({ namePairs, addressPairs, keyPairs, world: () => ({ own: one, coin: world.coin.caip19 }) }),
  ...linkProbes({
    idPairs,
    namePairs,
    addressPairs,
    askAsOther,
    world: () => ({ own: one, theirs: other, coin: world.coin.caip19 }),
  }),
  ...signInProbes({
    addressPairs,
    theirSession: () => other.people.OWNER.sessionId,
    ask: (query, values) => tollhouse.ask(query, { ...values }),
  }),
  ...thirdwebProbes({ addressPairs, ask: (query, values) => tollhouse.ask(query, { ...values }) }),
  ...eventProbes(admin),
  ...sessionProbes({
    sessionCursors: () => cursorPairs('sessions'),
    identityCursors: () =>
      cursorPairs(
        '(select i.id, i.created_at, m.organization_id from identities i join memberships m using (user_id)) own',
      ),
    names: () => [...idPairs(), ...namePairs()],
    askAsOther,
  }),
  ...walletProbes({
    idPairs,
    addressPairs,
    keyPairs,
    ask: (query, values) => tollhouse.ask(query, { ...values }, { token }),
  }),
  ...mergeProbes({
    idPairs,
    giveTicket: (ticket) => {
      const { OWNER, MEMBER } = other.people;
      return admin(
        `insert into merge_tickets (ticket_hash, user_id, identity_id, other_user_id, expires_at)
         values (sha256(convert_to($1, 'UTF8')), $2, $3, $4, now() + interval '1 hour')`,
        [ticket, OWNER.userId, MEMBER.identityId, MEMBER.userId],
      );
    },
  }),
  ...emailProbes({ admin, otherId: () => other.people.OWNER.userId }),
  ...organizationProbes({
    idPairs,
    askAsOther,
    theirDomain: () => globalId('Domain', other),
    ownHost: () => one.domain.host,
  }),
  ...deletionProbes({
    idPairs,
    namePairs,
    askAsOther,
    makeDeleted: async (id) => {
      await admin(
        `insert into organizations (id, name, slug, deleted_at) values ($1::uuid, 'x', 'gone-' || $1::uuid, now())`,
        [id],
      );
      await admin(`insert into memberships (organization_id, user_id, role) values ($1, $2, 'OWNER')`, [
        id,
        other.people.OWNER.userId,
      ]);
    },
  }),
  ...operatorProbes({ idPairs, cursorPairs: () => cursorPairs('operator_actions'), admin }),
  ...membershipProbes({ idPairs, askAsOther, admin, theirMembership: () => globalId('Membership', other) }),
  ...invitationProbes({
    idPairs,
    addressPairs,
    connection: connectionProbes('invitations', 'invitations'),
    askAsOther,
    admin,
    theirOrganization: () => ({ organizationId: other.organizationId, ownerId: other.people.OWNER.userId }),
    theirInvitation: () => globalId('Invitation', other),
  }),
  ...roleProbes({
    idPairs,
    connection: connectionProbes('roles', 'roles'),
    askAsOther,
    ourMembership: () => globalId('Membership', one),
    theirRole: () => globalId('Role', other),
  }),
  ...orderProbes({ idPairs, namePairs, askAsOther, own: () => one, theirs: () => other }),
  ...refundProbes({
    idPairs,
    namePairs,
    addressPairs,
    cursors: cursorPairs,
    connection: connectionProbes,
    askAsOther,
    own: () => one,
    theirs: () => other,
  }),
  ...connectionProbes('apiKeys', 'api_keys'),
  ...apiKeyProbes({ idPairs, askAsOther, theirs: () => ({ id: globalId('ApiKey', other), slug: other.marker }) }),
  ...wordProbes({ namePairs }),
  ...STREAM_PROBES,
};

/** What is answered and what it cost, without the request's own id and the text that was sent. */
async function answerTo(probe: Probe, value: string, as?: string): Promise<string> {
  const variables = probe.variables?.(value) ?? { value };
  const { answer, cost } = await tollhouse.count(probe.query, { ...variables }, as);
  const { status, data, errors } = answer;
  const echoes = [value, JSON.stringify(value).slice(1, -1)];
  let text = JSON.stringify({ status, data, errors, cost }).replace(/"requestId":"[^"]+"/g, '"requestId":"…"');
  for (const echo of echoes) text = text.replace(new RegExp(echo.replace(/[^\w-]/g, '\\$&'), 'gi'), '<value>');
  return probe.blur ? text.replaceAll(probe.blur, '…') : text;
}

describe('the API', () => {
  beforeAll(() => console.info(`api: TOLLHOUSE_TEST_SEED=${SEED}`));
  const schema = readSchema();

  it('has no argument that these tests do not know', () => {
    expect(textArguments(schema)).toEqual(Object.keys(ARGUMENTS).sort());
  });

  it('has no type with a global id that these tests have no row of', () => {
    expect(nodeTypes(schema)).toEqual(types);
  });

  const probes = Object.entries(ARGUMENTS).filter((entry): entry is [string, Probe] => typeof entry[1] !== 'string');

  it.each(probes)('answers what is the other tenant’s as what is nobody’s: %s', async (_, probe) => {
    const pairs = await probe.pairs();
    expect(pairs.length).toBeGreaterThan(0);
    for (const [foreign, random] of sample(pairs, 20)) {
      expect(foreign).not.toBe(random);
      for (const as of [token, undefined]) {
        const answer = await answerTo(probe, foreign, as);
        expect(answer).toBe(await answerTo(probe, random, as));
        expect(answer).not.toContain(other.marker);
        expect(answer).not.toMatch(/"code":"(INTERNAL|GRAPHQL_\w+|RATE_LIMITED)"|"status":5/);
      }
    }
  });

  it.each(types)('shows a %s to its own tenant, and to no other', async (type) => {
    const query = 'query ($id: ID!) { node(id: $id) { __typename id } }';
    const own = { __typename: type, id: globalId(type, one) };
    expect((await tollhouse.ask(query, { id: own.id }, { token })).data).toEqual({ node: own });
    expect((await tollhouse.ask(query, { id: own.id }, { token: await tokenOf(other) })).data).toEqual({ node: null });
    expect((await tollhouse.ask(query, { id: own.id })).data).toEqual({ node: null });
  });
});
