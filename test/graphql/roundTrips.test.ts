import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { startThirdwebServer, type ThirdwebServer } from '../support/thirdweb.ts';
import { apiKeyRuns } from './apiKeyRuns.ts';
import { COSTS } from './costs.ts';
import { emailRuns } from './emailRuns.ts';
import { goingRuns } from './goingRuns.ts';
import { invitationRuns } from './invitationRuns.ts';
import { linkRuns } from './linkRuns.ts';
import { membershipRuns } from './membershipRuns.ts';
import { operatorRuns } from './operatorRuns.ts';
import { orderRuns } from './orderRuns.ts';
import { domainRuns, organizationRuns } from './organizationRuns.ts';
import { refundRuns } from './refundRuns.ts';
import { roleRuns } from './roleRuns.ts';
import { thirdwebRuns } from './thirdwebRuns.ts';
import { type CountedTollhouse, startCountedTollhouse } from './trips.ts';
import { walletRuns } from './walletRuns.ts';

let tollhouse: CountedTollhouse;
let thirdweb: ThirdwebServer;
let world: World;
let tenant: Tenant;
let token: string;

beforeAll(async () => {
  thirdweb = await startThirdwebServer();
  tollhouse = await startCountedTollhouse({
    settings: {
      LIMIT_CHALLENGES_PER_MINUTE: '100',
      LIMIT_SIGN_INS_PER_MINUTE: '100',
      THIRDWEB_CLIENT_ID: thirdweb.clientId,
      THIRDWEB_SECRET_KEY: thirdweb.secretKey,
      THIRDWEB_API_URL: thirdweb.url,
    },
  });
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 3, links: 30 });
  tenant = world.tenants[0] as Tenant;
  const { organizationId, people } = tenant;
  ({ token } = await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId }));
});
afterAll(async () => {
  await tollhouse.stop();
  await thirdweb.stop();
});

const link = () => tenant.links[0] ?? { id: '', slug: '' };
const VIEWER = 'viewer { user { id displayName } organization { id name } role }';
const LINK = '... on PaymentLink { title url createdBy { displayName } accepts { amount asset { caip19 } } }';
const ORDER = 'status dueUnits asset { symbol } chain { name } transactions { hash units asset { caip19 } }';

interface ReadOptions {
  readonly anonymous?: true;
  /** How many, where it is not one. */
  readonly statements?: number;
}

/** The reads that the product lives on: each is one round trip, and all but those of several rows one statement. */
const READS: readonly [
  name: string,
  query: string,
  variables?: () => Record<string, unknown>,
  options?: ReadOptions,
][] = [
  [
    'viewer (Q3)',
    `{ viewer {
      user { id displayName wallets { address kind } } organization { id name slug } role
      memberships { role organization { id name slug } }
    } }`,
  ],
  [
    'the viewer’s memberships, filtered and ordered',
    `{ viewer { memberships(
      filter: { role: OWNER, organizationStatus: ACTIVE, text: "tenant" }, orderBy: { field: NAME, direction: DESC }
    ) { role organization { name } } } }`,
  ],
  [
    'viewer, with what is private',
    '{ viewer { user { displayName } profile { userName bio language preferences lastSignInAt lastSignInAddress } } }',
  ],
  [
    'the viewer’s sessions',
    `{ viewer { sessions(first: 5) { pageInfo { hasNextPage } edges { node {
      id createdAt lastRefreshedAt userAgent isCurrent wallet { address } organization { name }
    } } } } }`,
  ],
  ['organization', '{ organization { id name slug createdAt } }'],
  [
    'node, a link (Q2)',
    `query ($id: ID!) { node(id: $id) { id ${LINK} } }`,
    () => ({ id: encodeGlobalId('PaymentLink', link().id) }),
  ],
  [
    'node, an order',
    `query ($id: ID!) { node(id: $id) { ... on PaymentOrder { ${ORDER} paymentLink { title } } } }`,
    () => ({ id: encodeGlobalId('PaymentOrder', tenant.orders[0]?.id ?? '') }),
  ],
  [
    'nodes, three links',
    `query ($ids: [ID!]!) { nodes(ids: $ids) { id ${LINK} } }`,
    () => ({ ids: tenant.links.slice(0, 3).map(({ id }) => encodeGlobalId('PaymentLink', id)) }),
    { statements: 3 },
  ],
  [
    'links, orders, transactions (Q1)',
    `{ organization { name paymentLinks(first: 20) { pageInfo { hasNextPage endCursor } edges { cursor node {
      id title createdBy { displayName } accepts { amount }
      orders(first: 5) { edges { node { ${ORDER} } } }
    } } } } }`,
  ],
  [
    'three connections at once',
    `{ organization {
      paymentLinks(last: 3) { edges { node { title } } }
      paymentOrders(first: 50) { edges { node { ${ORDER} paymentLink { title } } } }
      blockchainTransactions(first: 50) { edges { node { hash units asset { symbol } } } }
    } }`,
  ],
  [
    'a page behind a cursor',
    'query ($after: String) { organization { paymentOrders(first: 5, after: $after) { edges { node { id } } } } }',
  ],
  [
    'checkout',
    'query ($slug: String!) { checkout(slug: $slug) { title organizationName accepts { amount asset { symbol decimals } } } }',
    () => ({ slug: link().slug }),
    { anonymous: true },
  ],
  ['checkout, signed in', 'query ($slug: String!) { checkout(slug: $slug) { title } }', () => ({ slug: link().slug })],
  [
    'checkout of no link',
    'query ($slug: String!) { checkout(slug: $slug) { title } }',
    () => ({ slug: 'no-link' }),
    { anonymous: true },
  ],
  [
    'checkoutOrder',
    `query ($token: String!) { checkoutOrder(token: $token) {
      token status due { amount units asset { symbol } } paymentRequest { to value data eip681 } transactions { hash status }
    } }`,
    () => ({ token: tenant.orders[0]?.token }),
    { anonymous: true, statements: 2 },
  ],
  [
    'chains',
    '{ chains { chainId caip2 name testnet publicRpcUrl assets { caip19 symbol decimals address } } }',
    () => ({}),
    { anonymous: true },
  ],
];

describe('a read', () => {
  it.each(READS)('of %s is one round trip', async (name, query, variables, { anonymous, statements = 1 } = {}) => {
    const { cost, answer } = await tollhouse.count(query, variables?.(), anonymous ? undefined : token);
    expect(answer.errors).toEqual([]);
    expect(Object.values(answer.data ?? {}).includes(null)).toBe(name === 'checkout of no link');
    expect(cost).toEqual({ statements, roundTrips: 1 });
  });

  it.each([
    [
      'a page of audit entries',
      'auditEntries(first: 5) { edges { node { table after user { displayName } seal { hash } } } }',
      2,
    ],
    [
      'a page of members',
      'memberships(first: 5, filter: { name: "tenant" }) { edges { cursor node { id role user { displayName } } } }',
      3,
    ],
    ['a part of the audit’s chain', 'auditVerification(first: 5) { position hash fault { kind } }', 3],
  ])('of %s is one more than its organization’s, or two', async (_, field, statements) => {
    const { cost, answer } = await tollhouse.count(`{ organization { ${field} } }`, {}, token);
    expect(answer.errors).toEqual([]);
    expect(cost).toEqual({ statements, roundTrips: statements });
  });

  it('for nobody is none, where there is nothing to be seen', async () => {
    const query = '{ viewer { role } organization { name } node(id: "x") { id } nodes(ids: ["x", "y"]) { id } }';
    const { cost, answer } = await tollhouse.count(query);
    expect(answer.data).toEqual({ viewer: null, organization: null, node: null, nodes: [null, null] });
    expect(cost).toEqual({ statements: 0, roundTrips: 0 });
  });

  it('of two pages of one connection is a statement each', async () => {
    const query = `{ organization {
      newest: paymentLinks(first: 1) { edges { node { title } } }
      oldest: paymentLinks(last: 1) { edges { node { title } } }
    } }`;
    const { cost, answer } = await tollhouse.count(query, {}, token);
    expect(answer.data).toMatchObject({
      organization: {
        newest: { edges: [{ node: { title: `${tenant.marker} link 29` } }] },
        oldest: { edges: [{ node: { title: `${tenant.marker} link 0` } }] },
      },
    });
    expect(cost).toEqual({ statements: 2, roundTrips: 2 });
  });
});

describe('a mutation', () => {
  const account = privateKeyToAccount(generatePrivateKey());
  const SIGN_IN = `mutation ($message: String!, $signature: Hex!) {
    signInWithEthereum(input: { message: $message, signature: $signature }) { accessToken refreshToken ${VIEWER} }
  }`;
  const CHALLENGE = `mutation ($address: Address) {
    createSignInChallenge(input: { address: $address }) { challenge { nonce message } }
  }`;
  const kept: { accessToken?: string; refreshToken?: string; viewer?: { organization: { id: string } } } = {};

  const signInVariables = async (): Promise<Record<string, unknown>> => {
    const { data } = await tollhouse.ask<{ createSignInChallenge: { challenge: { message: string } } }>(CHALLENGE, {
      address: account.address,
    });
    const message = data?.createSignInChallenge.challenge.message ?? '';
    return { message, signature: await account.signMessage({ message }) };
  };

  const makeLink = (idempotencyKey?: string): ReturnType<CountedTollhouse['count']> =>
    tollhouse.count(
      `mutation ($payTo: Address!, $asset: String!, $idempotencyKey: String) {
        createPaymentLink(input: {
          title: "Tea", accepts: [{ asset: $asset, amount: "1.5", payTo: $payTo }], idempotencyKey: $idempotencyKey
        }) {
          paymentLink { id slug url accepts { amount asset { symbol } } createdBy { displayName } }
        }
      }`,
      { payTo: tenant.people.OWNER.address, asset: world.coin.caip19, idempotencyKey },
      token,
    );

  const RUNS: Readonly<Record<string, () => ReturnType<CountedTollhouse['count']>>> = {
    createSignInChallenge: () => tollhouse.count(CHALLENGE, { address: account.address }),
    'signInWithEthereum, the first time': async () => tollhouse.count(SIGN_IN, await signInVariables()),
    'signInWithEthereum, again': async () => tollhouse.count(SIGN_IN, await signInVariables()),
    'signInWithEthereum, refused': async () =>
      tollhouse.count(SIGN_IN, { ...(await signInVariables()), signature: `0x${'11'.repeat(65)}` }),
    'signInWithEthereum, after failing': async () => tollhouse.count(SIGN_IN, await signInVariables()),
    updateProfile: () =>
      tollhouse.count(
        `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { profile {
          displayName userName givenName preferences lastSignInAt
        } } }`,
        { input: { displayName: 'Ada', userName: 'ada', bio: null } },
        kept.accessToken,
      ),
    refreshSession: () =>
      tollhouse.count(
        `mutation ($refreshToken: String!) {
          refreshSession(input: { refreshToken: $refreshToken }) { accessToken ${VIEWER} }
        }`,
        { refreshToken: kept.refreshToken },
      ),
    createPaymentLink: async () => {
      // what is registered never changes, and is asked for once a process
      await makeLink();
      return makeLink();
    },
    'createPaymentLink, keyed': () => makeLink('a key for this very link'.replaceAll(' ', '-')),
    'createPaymentLink, keyed, again': () => makeLink('a key for this very link'.replaceAll(' ', '-')),
    createPaymentOrder: () =>
      tollhouse.count(
        `mutation ($slug: String!, $payer: Address) {
          createPaymentOrder(input: { slug: $slug, payer: $payer }) {
            checkoutOrder { token status due { amount } paymentRequest { to value data } transactions { hash } }
          }
        }`,
        { slug: link().slug, payer: account.address },
      ),
    ...linkRuns(
      (...asked) => tollhouse.count(...asked),
      () => ({ token, tenant, world }),
    ),
    ...organizationRuns(
      (...asked) => tollhouse.count(...asked),
      () => kept.accessToken ?? '',
    ),
    ...operatorRuns(() => ({ tollhouse, world, token })),
    ...domainRuns(
      (...asked) => tollhouse.count(...asked),
      () => ({ token, domainId: tenant.domain.id }),
    ),
    ...roleRuns(
      () => tollhouse,
      () => world.tenants[2] as Tenant,
    ),
    ...membershipRuns(
      () => tollhouse,
      () => world.tenants[2] as Tenant,
    ),
    ...invitationRuns({
      house: () => tollhouse,
      tenant: () => tenant,
      guest: () => world.tenants[2] as Tenant,
    }),
    ...apiKeyRuns(
      (...asked) => tollhouse.count(...asked),
      () => token,
    ),
    ...orderRuns(
      () => tollhouse,
      () => tenant,
      () => token,
    ),
    ...refundRuns(
      () => tollhouse,
      () => tenant,
      () => token,
    ),
    ...walletRuns(
      () => tollhouse,
      account,
      () => kept.accessToken,
    ),
    ...thirdwebRuns(
      () => tollhouse,
      () => thirdweb,
      () => kept.accessToken,
    ),
    ...emailRuns({ house: () => tollhouse, token: () => kept.accessToken ?? '' }),
    ...goingRuns(() => tollhouse, { merging: () => world.tenants[1] as Tenant, leaving: () => tenant }),
    switchOrganization: () =>
      tollhouse.count(
        `mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken ${VIEWER} } }`,
        { id: kept.viewer?.organization.id },
        kept.accessToken,
      ),
    endSession: () => tollhouse.count('mutation { endSession(input: { id: "x" }) { ended } }', {}, kept.accessToken),
    'endSession, keyed': () =>
      tollhouse.count(
        'mutation ($key: String) { endSession(input: { id: "x", idempotencyKey: $key }) { ended replayed } }',
        { key: 'a-key-for-ending-a-session' },
        kept.accessToken,
      ),
    endOtherSessions: () =>
      tollhouse.count('mutation { endOtherSessions { session { id isCurrent } } }', {}, kept.accessToken),
    signOut: () => tollhouse.count('mutation { signOut { signedOut } }', {}, kept.accessToken),
  };

  const pinned = COSTS.trim()
    .split('\n')
    .slice(1)
    .map((line): [string, number, number] => {
      const [, name = '', statements, roundTrips] = /^\s*(.+?)\s+(\d+)\s+(\d+)$/.exec(line) ?? [];
      return [name, Number(statements), Number(roundTrips)];
    });

  it('of the schema is pinned, each of them', () => {
    const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
    const names = Object.keys(schema.getMutationType()?.getFields() ?? {}).sort();
    expect([...new Set(pinned.map(([name]) => name.replace(/,.*/, '')))].sort()).toEqual(names);
  });

  it.each(pinned)('%s is %i statements in %i round trips', async (name, statements, roundTrips) => {
    const { cost, answer } = (await RUNS[name]?.()) ?? {};
    expect(answer?.errors.map(({ extensions }) => extensions.code)).toEqual(
      name.endsWith('refused') ? ['SIGNATURE_CHECK_UNSUPPORTED'] : [],
    );
    expect(cost).toEqual({ statements, roundTrips });
    Object.assign(kept, answer?.data?.signInWithEthereum);
  });
});
