import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Scene } from '../../src/database/scene.ts';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';

/** What every seeded link asks for, and its orders with it. */
export const DUE_UNITS = '1000000000000000001';

export type TenantRole = 'OWNER' | 'ADMIN' | 'MEMBER';

/** Somebody who is signed in to work in one organization. */
export interface TenantPerson {
  readonly userId: string;
  readonly sessionId: string;
  readonly identityId: string;
  /** In lower case, as it is stored. */
  readonly address: string;
}

/** An organization with everything that one can have. */
export interface Tenant {
  readonly organizationId: string;
  /** Stands in every text of the tenant, so that an answer can be searched for it. */
  readonly marker: string;
  readonly people: Readonly<Record<TenantRole, TenantPerson>>;
  readonly links: readonly { readonly id: string; readonly slug: string }[];
  readonly orders: readonly { readonly id: string; readonly linkId: string; readonly token: string }[];
  readonly transactions: readonly { readonly id: string; readonly hash: string }[];
  /** A verified one. */
  readonly domain: { readonly id: string; readonly host: string };
}

/** What all tenants share. */
export interface World {
  readonly tenants: readonly Tenant[];
  readonly chainId: number;
  readonly incarnationId: string;
  /** The native coin, with 18 decimals. */
  readonly coin: { readonly id: string; readonly caip19: string };
}

const CHAIN_ID = 31_337;
const ROLES: readonly TenantRole[] = ['OWNER', 'ADMIN', 'MEMBER'];
/** Each tenant's rows are of one millisecond after another, and all are past. */
const BEGAN = Date.now() - 3_600_000;

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;
const hashOf = (text: string): string => bytea(createHash('sha256').update(text).digest());

/**
 * Writes a world past the law, as a superuser: an organization each with an owner, an admin and a member who are signed
 * in, links, an order a link, and a credited transfer an order.
 * @param options.world one that is there already, to which the tenants are added
 * @param options.sameIds whether every tenant's rows have the ids of the first one's: only the tenant tells them apart
 */
export async function seedTenants(
  adminUrl: string,
  options: {
    readonly tenants?: number;
    readonly links?: number;
    readonly world?: World;
    readonly sameIds?: boolean;
  } = {},
): Promise<World> {
  const { tenants: count = 3, links = 3, sameIds = false } = options;
  const world = options.world ?? {
    chainId: CHAIN_ID,
    incarnationId: newId(),
    coin: { id: newId(), caip19: `eip155:${CHAIN_ID}/slip44:60` },
  };
  const shared = { ids: makeIds(links), domainId: newId() };
  const tenants = Array.from({ length: count }, (_, index) =>
    makeTenant(index, sameIds ? shared : { ids: makeIds(links), domainId: newId() }),
  );
  await withSession(adminUrl, async (client) => {
    await client.query('begin');
    if (!options.world) await writeChain(client, world);
    await writePeople(client, tenants);
    await writePayments(client, world, tenants);
    await client.query('commit');
  });
  return { ...world, tenants };
}

/** The scene that a person's request is in. */
export function memberScene(
  tenant: Tenant,
  role: TenantRole = 'OWNER',
  requestId: string = newId(),
): Extract<Scene, { kind: 'member' }> {
  const { sessionId } = tenant.people[role];
  return { kind: 'member', requestId, sessionId, organizationId: tenant.organizationId };
}

/** The ids of a link, of its order and of the transaction that is credited to it. */
type Ids = readonly { readonly link: string; readonly order: string; readonly transaction: string }[];

function makeIds(links: number): Ids {
  return Array.from({ length: links }, () => ({ link: newId(), order: newId(), transaction: newId() }));
}

function makeTenant(index: number, { ids, domainId }: { readonly ids: Ids; readonly domainId: string }): Tenant {
  const marker = `tenant-${index}-${hex(4)}`;
  const person = (): TenantPerson => ({
    userId: newId(),
    sessionId: newId(),
    identityId: newId(),
    address: `0x${hex(20)}`,
  });
  return {
    organizationId: newId(),
    marker,
    people: { OWNER: person(), ADMIN: person(), MEMBER: person() },
    links: ids.map(({ link }) => ({ id: link, slug: `slug-${hex(12)}` })),
    orders: ids.map(({ order, link }) => ({ id: order, linkId: link, token: hex(24) })),
    transactions: ids.map(({ transaction }) => ({ id: transaction, hash: `0x${hex(32)}` })),
    domain: { id: domainId, host: `pay.${marker}.com` },
  };
}

/** Inserts rows of one shape; a column is what its name says in JSON. */
export async function insertRows(client: pg.Client, table: string, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  await client.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows)],
  );
}

async function writeChain(client: pg.Client, { chainId, incarnationId, coin }: Omit<World, 'tenants'>): Promise<void> {
  const soon = new Date(Date.now() + 86_400_000);
  await insertRows(client, 'chains', [
    {
      chain_id: chainId,
      name: 'Local chain',
      testnet: true,
      public_rpc_url: 'http://127.0.0.1:1',
      confirmations: 2,
    },
  ]);
  await insertRows(client, 'chain_incarnations', [
    {
      id: incarnationId,
      chain_id: chainId,
      genesis_hash: `0x${hex(32)}`,
      head_number: 100,
      finalized_number: 36,
      // read up to the present for as long as the test may run
      caught_up_at: soon,
    },
  ]);
  await insertRows(client, 'assets', [
    { id: coin.id, chain_id: chainId, caip19: coin.caip19, symbol: 'ETH', name: 'Ether', decimals: 18 },
  ]);
}

async function writePeople(client: pg.Client, tenants: readonly Tenant[]): Promise<void> {
  const people = tenants.flatMap(({ organizationId, marker, people }) =>
    ROLES.map((role) => ({ organizationId, marker, role, ...people[role] })),
  );
  const expires = new Date(Date.now() + 86_400_000);
  await insertRows(
    client,
    'organizations',
    tenants.map(({ organizationId, marker }) => ({ id: organizationId, name: marker, slug: marker })),
  );
  await insertRows(
    client,
    'organization_domains',
    tenants.map(({ organizationId, domain }) => ({
      organization_id: organizationId,
      ...domain,
      kind: 'SUBDOMAIN',
      verification_token: hex(16),
      verified_at: new Date(),
      is_primary: false,
      created_at: new Date(BEGAN),
    })),
  );
  await insertRows(
    client,
    'users',
    people.map(({ userId, marker, role }) => ({ id: userId, display_name: `${marker} ${role}` })),
  );
  await insertRows(
    client,
    'identities',
    people.map(({ identityId, userId, address }) => ({
      id: identityId,
      user_id: userId,
      kind: 'WALLET',
      issuer: 'eip155',
      subject: address,
      address,
      wallet_kind: 'EOA',
      wallet_source: 'EXTERNAL',
    })),
  );
  await insertRows(
    client,
    'memberships',
    people.map(({ organizationId, userId, role }) => ({ organization_id: organizationId, user_id: userId, role })),
  );
  await insertRows(
    client,
    'sessions',
    people.map(({ sessionId, userId, identityId, organizationId }) => ({
      id: sessionId,
      user_id: userId,
      identity_id: identityId,
      organization_id: organizationId,
      refresh_hash: bytea(randomBytes(32)),
      expires_at: expires,
    })),
  );
}

async function writePayments(
  client: pg.Client,
  world: Omit<World, 'tenants'>,
  tenants: readonly Tenant[],
): Promise<void> {
  const each = <Row>(make: (tenant: Tenant, index: number) => Row): Row[] =>
    tenants.flatMap((tenant) => tenant.links.map((_, index) => make(tenant, index)));
  const at = (index: number): Date => new Date(BEGAN + index);
  const payee = ({ people }: Tenant): string => people.OWNER.address;
  const { incarnationId, coin } = world;
  const expires = new Date(Date.now() + 86_400_000);
  const pick = <Item>(items: readonly Item[], index: number): Item => items[index] as Item;

  await insertRows(
    client,
    'payment_links',
    each(({ organizationId, marker, people, links }, index) => ({
      organization_id: organizationId,
      ...pick(links, index),
      title: `${marker} link ${index}`,
      created_by_id: people.OWNER.userId,
      created_at: at(index),
    })),
  );
  await insertRows(
    client,
    'payment_link_accepts',
    each((tenant, index) => ({
      organization_id: tenant.organizationId,
      payment_link_id: pick(tenant.links, index).id,
      position: 0,
      asset_id: coin.id,
      units: DUE_UNITS,
      pay_to: payee(tenant),
    })),
  );
  await insertRows(
    client,
    'payment_orders',
    each((tenant, index) => ({
      organization_id: tenant.organizationId,
      id: pick(tenant.orders, index).id,
      payment_link_id: pick(tenant.orders, index).linkId,
      incarnation_id: incarnationId,
      asset_id: coin.id,
      matching: 'WALLET',
      due_units: DUE_UNITS,
      pay_to: payee(tenant),
      payer: `0x${hex(20)}`,
      reference: bytea(randomBytes(16)),
      required_confirmations: 2,
      head_number: 100,
      client_hash: bytea(randomBytes(32)),
      expires_at: expires,
      created_at: at(index),
    })),
  );
  await insertRows(
    client,
    'blockchain_transactions',
    each((tenant, index) => ({
      organization_id: tenant.organizationId,
      ...pick(tenant.transactions, index),
      incarnation_id: incarnationId,
      asset_id: coin.id,
      ordinal: -1,
      sender: `0x${hex(20)}`,
      recipient: payee(tenant),
      units: 1,
      block_number: 90,
      block_hash: `0x${hex(32)}`,
      block_time: at(index),
      created_at: at(index),
    })),
  );
  await insertRows(
    client,
    'payment_credits',
    each((tenant, index) => ({
      organization_id: tenant.organizationId,
      payment_order_id: pick(tenant.orders, index).id,
      blockchain_transaction_id: pick(tenant.transactions, index).id,
      units: 1,
    })),
  );
  await insertRows(client, 'handles', [
    ...each(({ organizationId, links }, index) => ({
      kind: 'payment-link',
      value_hash: hashOf(pick(links, index).slug),
      organization_id: organizationId,
      target_id: pick(links, index).id,
    })),
    ...each(({ organizationId, orders }, index) => ({
      kind: 'payment-order',
      value_hash: hashOf(pick(orders, index).token),
      organization_id: organizationId,
      target_id: pick(orders, index).id,
    })),
  ]);
  await insertRows(
    client,
    'events',
    each(({ organizationId, marker, links }, index) => ({
      organization_id: organizationId,
      type: 'payment-link.created',
      version: 1,
      aggregate_type: 'payment-link',
      aggregate_id: pick(links, index).id,
      aggregate_version: 1,
      actor: 'worker',
      tags: [],
      data: { title: marker },
      metadata: {},
    })),
  );
}
