import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { writeRefreshToken } from '../../src/identity/model.ts';
import { showAddress } from '../../src/kernel/address.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { type CountedTollhouse, startCountedTollhouse } from '../graphql/trips.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { nodeTypes, readSchema, textArguments } from './arguments.ts';
import type { Pair, Probe } from './probe.ts';
import { sessionProbes } from './sessionProbes.ts';
import { walletProbes } from './walletProbes.ts';

let tollhouse: CountedTollhouse;
let world: World;
let one: Tenant;
let other: Tenant;
let token: string;

beforeAll(async () => {
  tollhouse = await startCountedTollhouse({ limits: false });
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [one, other] = world.tenants as [Tenant, Tenant];
  token = await tokenOf(one);
  // so that where a cursor of theirs stands among our rows does not hang on its id
  await admin(`update payment_links set created_at = created_at + interval '10 min' where organization_id = $1`);
  await admin(`update payment_orders set created_at = created_at + interval '10 min' where organization_id = $1`);
  await admin(
    `update blockchain_transactions set created_at = created_at + interval '10 min' where organization_id = $1`,
  );
  await admin(`update sessions set created_at = created_at + interval '10 min' where organization_id = $1`);
  await admin(`
    update identities set created_at = created_at + interval '10 min'
    where user_id in (select user_id from memberships where organization_id = $1)`);
});
afterAll(() => tollhouse.stop());

async function admin(text: string, values: unknown[] = [other.organizationId]): Promise<Record<string, unknown>[]> {
  return withSession(tollhouse.database.adminUrl, async (client) => (await client.query(text, values)).rows);
}

async function tokenOf({ organizationId, people }: Tenant): Promise<string> {
  return (await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId })).token;
}

/** A row of each type that has a global id. */
const ROWS: Readonly<Record<string, (tenant: Tenant) => string>> = {
  BlockchainTransaction: ({ transactions }) => transactions[0]?.id ?? '',
  Identity: ({ people }) => people.OWNER.identityId,
  Organization: ({ organizationId }) => organizationId,
  PaymentLink: ({ links }) => links[0]?.id ?? '',
  PaymentOrder: ({ orders }) => orders[0]?.id ?? '',
  Session: ({ people }) => people.OWNER.sessionId,
  User: ({ people }) => people.OWNER.userId,
  Wallet: ({ people }) => people.OWNER.identityId,
};
const types = Object.keys(ROWS);
const globalId = (type: string, tenant: Tenant): string => encodeGlobalId(type, ROWS[type]?.(tenant) ?? '');

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** The global ids of rows, under their own types' names and under others'. */
const idPairs = (): Pair[] =>
  types.flatMap((type) =>
    types.map(
      (claimed): Pair => [encodeGlobalId(claimed, ROWS[type]?.(other) ?? ''), encodeGlobalId(claimed, newId())],
    ),
  );

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

const NOTHING = 'names nothing: a text for people';

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
    query: 'query ($value: String!) { checkoutOrder(token: $value) { token status due { amount } } }',
    pairs: namePairs,
  },
  ...connectionProbes('paymentLinks', 'payment_links'),
  ...connectionProbes('paymentOrders', 'payment_orders'),
  ...connectionProbes('blockchainTransactions', 'blockchain_transactions'),
  'PaymentLink.orders.after': nestedOrdersProbe('after'),
  'PaymentLink.orders.before': nestedOrdersProbe('before'),
  'Mutation.createPaymentLink.input.title': NOTHING,
  'Mutation.createPaymentLink.input.description': NOTHING,
  'Mutation.createPaymentLink.input.accepts.amount': 'names nothing: an amount',
  'Mutation.createPaymentLink.input.idempotencyKey': {
    query: `mutation ($value: String, $payTo: Address!, $asset: String!) {
      createPaymentLink(input: {
        title: "x", accepts: [{ asset: $asset, amount: "1", payTo: $payTo }], idempotencyKey: $value
      }) { paymentLink { title } replayed }
    }`,
    variables: (value) => ({ value, payTo: one.people.OWNER.address, asset: world.coin.caip19 }),
    pairs: keyPairs,
  },
  'Mutation.createPaymentLink.input.accepts.asset': {
    query: `mutation ($value: String!, $payTo: Address!) {
      createPaymentLink(input: { title: "x", accepts: [{ asset: $value, amount: "1", payTo: $payTo }] }) { paymentLink { id } }
    }`,
    variables: (value) => ({ value, payTo: one.people.OWNER.address }),
    pairs: namePairs,
  },
  'Mutation.createPaymentLink.input.accepts.payTo': {
    query: `mutation ($value: Address!, $asset: String!) {
      createPaymentLink(input: { title: "x", accepts: [{ asset: $asset, amount: "1", payTo: $value }] }) { paymentLink { id } }
    }`,
    variables: (value) => ({ value, asset: world.coin.caip19 }),
    pairs: addressPairs,
  },
  'Mutation.createPaymentOrder.input.slug': {
    query: `mutation ($value: String!, $payer: Address) {
      createPaymentOrder(input: { slug: $value, payer: $payer }) { checkoutOrder { token } }
    }`,
    variables: (value) => ({ value, payer: one.people.MEMBER.address }),
    pairs: namePairs,
  },
  'Mutation.createPaymentOrder.input.asset': {
    query: `mutation ($value: String, $slug: String!, $payer: Address) {
      createPaymentOrder(input: { slug: $slug, asset: $value, payer: $payer }) { checkoutOrder { token } }
    }`,
    variables: (value) => ({ value, slug: one.links[0]?.slug, payer: one.people.MEMBER.address }),
    pairs: namePairs,
  },
  'Mutation.createPaymentOrder.input.payer': {
    query: `mutation ($value: Address, $slug: String!) {
      createPaymentOrder(input: { slug: $slug, payer: $value }) { checkoutOrder { status due { amount units } transactions { hash } } }
    }`,
    variables: (value) => ({ value, slug: one.links[0]?.slug }),
    pairs: addressPairs,
  },
  'Mutation.createPaymentOrder.input.idempotencyKey': {
    query: `mutation ($value: String, $slug: String!, $payer: Address) {
      createPaymentOrder(input: { slug: $slug, payer: $payer, idempotencyKey: $value }) { checkoutOrder { status } replayed }
    }`,
    variables: (value) => ({ value, slug: one.links[0]?.slug, payer: one.people.MEMBER.address }),
    pairs: keyPairs,
  },
  'Mutation.createSignInChallenge.input.address': {
    query:
      'mutation ($value: Address) { createSignInChallenge(input: { address: $value }) { challenge { nonce message expiresAt } } }',
    pairs: addressPairs,
    blur: /\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:.]+Z/g,
  },
  'Mutation.signInWithEthereum.input.message': {
    query: `mutation ($value: String!, $signature: Hex!) {
      signInWithEthereum(input: { message: $value, signature: $signature }) { isNewUser }
    }`,
    variables: (value) => ({ value, signature: `0x${'11'.repeat(65)}` }),
    pairs: async () => {
      const [[theirs, nobodys] = ['', '']] = addressPairs();
      return [[await challengeFor(theirs), await challengeFor(nobodys)]];
    },
  },
  'Mutation.signInWithEthereum.input.signature': 'names nothing without its message',
  ...sessionProbes({
    sessionCursors: () => cursorPairs('sessions'),
    identityCursors: () =>
      cursorPairs(
        '(select i.id, i.created_at, m.organization_id from identities i join memberships m using (user_id)) own',
      ),
    names: () => [...idPairs(), ...namePairs()],
    askAsOther: async (query, key) => tollhouse.ask(query, { key }, { token: await tokenOf(other) }),
  }),
  'Mutation.refreshSession.input.refreshToken': {
    query: 'mutation ($value: String!) { refreshSession(input: { refreshToken: $value }) { accessToken } }',
    pairs: () =>
      [0, 1, 7].map((generation): Pair => {
        const secret = randomBytes(32).toString('base64url');
        return [
          writeRefreshToken({ sessionId: other.people.OWNER.sessionId, generation, secret }),
          writeRefreshToken({ sessionId: newId(), generation, secret }),
        ];
      }),
  },
  ...walletProbes({
    idPairs,
    addressPairs,
    keyPairs,
    ask: (query, values) => tollhouse.ask(query, { ...values }, { token }),
  }),
  'Mutation.updateProfile.input.avatarUrl': NOTHING,
  'Mutation.updateProfile.input.bio': NOTHING,
  'Mutation.updateProfile.input.displayName': NOTHING,
  'Mutation.updateProfile.input.familyName': NOTHING,
  'Mutation.updateProfile.input.givenName': NOTHING,
  'Mutation.updateProfile.input.language': 'names nothing: a language',
  'Mutation.updateProfile.input.timeZone': 'names nothing: a time zone',
  'Mutation.updateProfile.input.preferences': NOTHING,
  'Mutation.updateProfile.input.userName': {
    query: 'mutation ($value: String) { updateProfile(input: { userName: $value }) { profile { userName } } }',
    // whose names are no names
    pairs: namePairs,
  },
};

async function challengeFor(address: string): Promise<string> {
  const { data } = await tollhouse.ask<{ createSignInChallenge: { challenge: { message: string } } }>(
    'mutation ($address: Address) { createSignInChallenge(input: { address: $address }) { challenge { message } } }',
    { address },
  );
  return data?.createSignInChallenge.challenge.message ?? '';
}

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
    for (const [foreign, random] of pairs) {
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

describe('node and nodes', () => {
  const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on PaymentLink { title } } }';

  it('are null without an error for every id that names nothing one may see', async () => {
    const uuid = ROWS.PaymentLink?.(one) ?? '';
    const malformed = [
      '',
      'x',
      '%',
      '=',
      'null',
      uuid,
      Buffer.from(`PaymentLink:${uuid}`).toString('base64').padEnd(72, '='),
      Buffer.from(`PaymentLink:${uuid}:x`).toString('base64url'),
      Buffer.from(`PaymentLink:${uuid.toUpperCase()}`).toString('base64url'),
      Buffer.from(`PaymentLink: ${uuid}`).toString('base64url'),
      Buffer.from(`PaymentLink:' or 1=1 --`).toString('base64url'),
      ...[
        'Query',
        'Mutation',
        'Node',
        'String',
        'Nowhere',
        'paymentLink',
        '__Type',
        'Checkout',
        'Wallet',
        'Viewer',
      ].map((type) => encodeGlobalId(type, uuid)),
      'A'.repeat(5000),
      '😀',
    ];
    const ids = [...malformed, ...idPairs().flat()].slice(0, 100);
    const { data, errors } = await tollhouse.ask(NODES, { ids }, { token });
    expect(errors).toEqual([]);
    expect(data).toEqual({ nodes: ids.map(() => null) });
    for (const id of malformed) {
      const answer = await tollhouse.ask('query ($id: ID!) { node(id: $id) { id } }', { id }, { token });
      expect([id, answer.status, answer.data, answer.errors]).toEqual([id, 200, { node: null }, []]);
    }
  });

  it('keep the order of the ids, with nulls between and repetitions', async () => {
    const [first, second] = one.links.map(({ id }) => encodeGlobalId('PaymentLink', id));
    const ids = [second, globalId('PaymentLink', other), first, 'x', second, globalId('User', one)];
    const { data } = await tollhouse.ask<{ nodes: ({ id: string } | null)[] }>(NODES, { ids }, { token });
    expect(data?.nodes.map((node) => node?.id ?? null)).toEqual([second, null, first, null, second, ids[5]]);
  });

  it('do not know what was deleted', async () => {
    const [, , link] = one.links;
    const id = encodeGlobalId('PaymentLink', link?.id ?? '');
    const ask = async () => (await tollhouse.ask(NODES, { ids: [id] }, { token })).data;
    expect(await ask()).toMatchObject({ nodes: [{ id }] });
    await admin('update payment_links set deleted_at = now() where id = $1', [link?.id]);
    expect(await ask()).toEqual({ nodes: [null] });
    const slug = await tollhouse.ask('query ($slug: String!) { checkout(slug: $slug) { title } }', {
      slug: link?.slug,
    });
    expect([slug.data, slug.errors]).toEqual([{ checkout: null }, []]);
  });

  it('take a hundred ids, and not one more', async () => {
    const ids = Array.from({ length: 100 }, () => encodeGlobalId('PaymentLink', newId()));
    expect((await tollhouse.ask(NODES, { ids }, { token })).data).toEqual({ nodes: ids.map(() => null) });
    expect((await tollhouse.ask(NODES, { ids: [] }, { token })).data).toEqual({ nodes: [] });
    const refused = await tollhouse.ask(NODES, { ids: [...ids, 'x'] }, { token });
    expect(refused.data).toBeNull();
    expect(refused.errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      facts: { argument: 'ids', actual: 101 },
    });
  });
});
