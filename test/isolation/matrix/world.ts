import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { withSession } from '../../../src/database/session.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { insertRows, seedTenants, type Tenant, type TenantRole, type World } from '../../support/tenants.ts';
import { type Clerks, makeClerks, seedClerks } from './clerks.ts';
import { seedInbox } from './inbox.ts';
import { KEY_NAMES, makeKeys, type SeededKeys, seedKeys } from './keys.ts';

/**
 * A world that is hard to keep apart: three organizations whose rows may have the same ids, a fourth that was deleted,
 * and people who belong, or once belonged, to more than one of them.
 */
export interface CrowdedWorld extends World {
  /** The three. */
  readonly tenants: readonly Tenant[];
  /** The deleted one. */
  readonly gone: Tenant;
  /** A session that each tenant's owner has ended. */
  readonly endedSessions: Readonly<Record<string, string>>;
  /** One that each tenant's owner has begun on the tenant's own domain. */
  readonly boundSessions: Readonly<Record<string, string>>;
  readonly keys: SeededKeys;
  readonly clerks: Clerks;
  /** A user who belongs to no organization. */
  readonly guestId: string;
  /** An asset that no link accepts, and a transaction of each tenant that is credited to no order. */
  readonly spareAssetId: string;
  readonly spareTransactionId: string;
  /** A transaction of each tenant that is credited to the first order in the second one alone. */
  readonly oddTransactionId: string;
  /** What a membership lets its user do, as the database says. */
  readonly permissions: Readonly<Record<TenantRole, string>>;
}

/** What every second link of a tenant asks for, unlike its first. */
export const OTHER_UNITS = '5';

type Seeded = Omit<CrowdedWorld, 'permissions'>;

/** A seal for each entry, by hand: sealing waits for transactions of other tests, too. */
const SEAL = `
  insert into audit_seals (organization_id, id, position, hash, epoch, transaction_id, log_position)
  select
    organization_id, id, row_number() over (partition by organization_id order by log_position),
    sha256(uuid_send(id)), epoch, transaction_id, log_position
  from audit_entries`;

const DAY = 86_400_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY);
const hex = (bytes: number): string => `0x${randomBytes(bytes).toString('hex')}`;
const hash = (): string => `\\x${randomBytes(32).toString('hex')}`;

/**
 * Writes the world past the law, as a superuser, with rows in every table that there is.
 * @param sameIds whether the organizations' rows have each other's ids
 */
export async function seedCrowdedWorld(adminUrl: string, sameIds: boolean): Promise<CrowdedWorld> {
  const seeded = await seedTenants(adminUrl, { tenants: 4, links: 3, sameIds });
  const [first, second, third, gone] = seeded.tenants as [Tenant, Tenant, Tenant, Tenant];
  const world = {
    ...seeded,
    tenants: [first, second, third],
    gone,
    endedSessions: Object.fromEntries(seeded.tenants.map(({ organizationId }) => [organizationId, newId()])),
    boundSessions: Object.fromEntries(seeded.tenants.map(({ organizationId }) => [organizationId, newId()])),
    keys: makeKeys(seeded.tenants, sameIds),
    clerks: makeClerks(seeded.tenants),
    guestId: newId(),
    spareAssetId: newId(),
    spareTransactionId: newId(),
    oddTransactionId: newId(),
  };
  return withSession(adminUrl, async (client) => {
    await client.query('begin');
    await crowd(client, world, seeded.tenants);
    await seedKeys(client, seeded.tenants, world.keys);
    await seedClerks(client, seeded.tenants, { clerks: world.clerks, sameIds, expiresAt: ago(-1) });
    await seedChain(client, world, seeded.tenants);
    await seedInbox(client, world, seeded.tenants);
    await seedCommonTables(client, world);
    await client.query('update organizations set deleted_at = now() where id = $1', [gone.organizationId]);
    // so that there is an organization that the function which adds them may add them to
    for (const equipment of ['organization_settings', 'store_configurations', 'api_key_uses']) {
      await client.query(`delete from ${equipment} where organization_id = $1`, [gone.organizationId]);
    }
    for (const { links } of seeded.tenants) await tellApart(client, links);
    await client.query(SEAL);
    await client.query('commit');
    const { rows } = await client.query<Record<TenantRole, string>>(
      `select permissions_of('OWNER') as "OWNER", permissions_of('ADMIN') as "ADMIN", permissions_of('MEMBER') as "MEMBER"`,
    );
    return { ...world, permissions: rows[0] as Record<TenantRole, string> };
  });
}

/** Gives the second link terms of its own, and deletes the third. */
async function tellApart(client: pg.Client, [, second, third]: Tenant['links']): Promise<void> {
  const change = (table: string, column: string): Promise<unknown> =>
    client.query(`update ${table} set ${column} = $1 where payment_link_id = $2`, [OTHER_UNITS, second?.id]);
  await change('payment_link_accepts', 'units');
  await change('payment_orders', 'due_units');
  await client.query('update payment_links set deleted_at = now() where id = $1', [third?.id]);
}

/** What sets people and payments apart only by one column. */
async function crowd(client: pg.Client, world: Seeded, tenants: readonly Tenant[]): Promise<void> {
  await insertRows(client, 'users', [{ id: world.guestId, display_name: 'Guest' }]);
  await insertRows(
    client,
    'users',
    tenants.map(({ people }) => ({ id: newId(), display_name: 'Former', merged_into_id: people.OWNER.userId })),
  );
  await insertRows(
    client,
    'memberships',
    world.tenants.flatMap((tenant, index) => {
      const neighbour = (steps: number): string => world.tenants[(index + steps) % 3]?.organizationId ?? '';
      const user_id = tenant.people.OWNER.userId;
      return [
        { organization_id: neighbour(1), user_id, role: 'MEMBER', status: 'ACTIVE' },
        { organization_id: neighbour(2), user_id, role: 'MEMBER', status: 'LEFT' },
      ];
    }),
  );
  // the third one's admin has told nothing
  const silent = world.tenants[2]?.people.ADMIN.userId;
  await insertRows(
    client,
    'user_profiles',
    tenants
      .flatMap(({ people }) => Object.values(people))
      .filter(({ userId }) => userId !== silent)
      .map(({ userId }) => ({
        user_id: userId,
        user_name: `u_${randomBytes(8).toString('hex')}`,
        given_name: 'A',
        preferences: {},
      })),
  );
  await insertRows(
    client,
    'organization_domains',
    tenants.map(({ organizationId }) => ({
      organization_id: organizationId,
      kind: 'CUSTOM',
      host: `x${randomBytes(8).toString('hex')}.com`,
      verification_token: randomBytes(16).toString('hex'),
      is_primary: false,
    })),
  );
  await insertRows(
    client,
    'identities',
    tenants.map(({ people }) => ({
      user_id: people.MEMBER.userId,
      kind: 'WALLET',
      issuer: 'elsewhere',
      subject: people.OWNER.address,
      address: people.MEMBER.address,
      wallet_kind: 'EOA',
      wallet_source: 'EXTERNAL',
    })),
  );
  await insertRows(
    client,
    'sessions',
    tenants.map(({ organizationId, people }) => ({
      id: world.endedSessions[organizationId],
      user_id: people.OWNER.userId,
      identity_id: people.OWNER.identityId,
      organization_id: organizationId,
      refresh_hash: hash(),
      expires_at: ago(-1),
      ended_at: ago(1),
      end_reason: 'SIGNED_OUT',
    })),
  );
  await insertRows(
    client,
    'sessions',
    tenants.map(({ organizationId, domain, people }) => ({
      id: world.boundSessions[organizationId],
      user_id: people.OWNER.userId,
      identity_id: people.OWNER.identityId,
      organization_id: organizationId,
      domain_id: domain.id,
      refresh_hash: hash(),
      expires_at: ago(-1),
    })),
  );
  await insertRows(
    client,
    'invitations',
    tenants.flatMap(({ organizationId, people }) =>
      [
        { revoked_at: null, accepted_at: null, accepted_by_id: null },
        { revoked_at: null, accepted_at: null, accepted_by_id: null, role: 'OWNER' },
        { revoked_at: ago(1), accepted_at: null, accepted_by_id: null },
        { revoked_at: null, accepted_at: ago(1), accepted_by_id: people.MEMBER.userId },
      ].map((ended) => ({
        organization_id: organizationId,
        role: 'MEMBER',
        address: `0x${randomBytes(20).toString('hex')}`,
        invited_by_id: people.OWNER.userId,
        expires_at: ago(-1),
        ...ended,
      })),
    ),
  );
  await insertRows(
    client,
    'operator_actions',
    tenants.map(({ organizationId, people }) => ({
      organization_id: organizationId,
      deed: 'SUSPEND',
      user_id: people.MEMBER.userId,
      user_name: 'Operator',
      session_id: people.MEMBER.sessionId,
      reason: 'a complaint',
      request_id: 'isolation',
    })),
  );
  await insertRows(
    client,
    'idempotency_keys',
    tenants.flatMap(({ organizationId, people, links }) =>
      [
        { principal: `user:${people.OWNER.userId}`, expires_at: ago(-1) },
        { principal: `user:${people.ADMIN.userId}`, expires_at: ago(1) },
        { principal: `user:${people.MEMBER.userId}`, expires_at: ago(-1) },
        { principal: `link:${links[0]?.id}`, expires_at: ago(-1) },
        ...KEY_NAMES.map((name) => ({
          principal: `key:${world.keys[organizationId]?.[name].id}`,
          expires_at: ago(-1),
        })),
      ].map((key) => ({
        organization_id: organizationId,
        operation: 'createPaymentLink',
        key_hash: hash(),
        request_hash: hash(),
        result_id: newId(),
        created_at: ago(2),
        ...key,
      })),
    ),
  );
}

/** What the chain says, of everybody's concern and nobody's. */
async function seedChain(client: pg.Client, world: Seeded, tenants: readonly Tenant[]): Promise<void> {
  const { incarnationId: incarnation_id, chainId: chain_id, coin } = world;
  await insertRows(client, 'assets', [
    { id: world.spareAssetId, chain_id, caip19: `eip155:${chain_id}/erc20:0x00`, symbol: 'T', name: 'T', decimals: 6 },
  ]);
  await insertRows(client, 'chain_finality_rules', [{ asset_id: coin.id, from_units: 1, finality: 'SAFE' }]);
  await insertRows(client, 'chain_blocks', [{ incarnation_id, number: 90, hash: hex(32), parent_hash: hex(32) }]);
  const transfer = ({ people }: Tenant): Record<string, unknown> => ({
    incarnation_id,
    ordinal: -1,
    asset_id: coin.id,
    sender: people.MEMBER.address,
    recipient: people.OWNER.address,
    units: 1,
    block_number: 90,
    block_hash: hex(32),
    block_time: ago(0),
  });
  await insertRows(
    client,
    'chain_transfers',
    tenants.map((tenant) => ({
      ...transfer(tenant),
      transaction_hash: tenant.transactions[0]?.hash,
      claimed_organization_id: tenant.organizationId,
      input: '\\x',
    })),
  );
  await insertRows(
    client,
    'blockchain_transactions',
    tenants.flatMap((tenant) =>
      [world.spareTransactionId, world.oddTransactionId].map((id) => ({
        ...transfer(tenant),
        organization_id: tenant.organizationId,
        id,
        hash: hex(32),
      })),
    ),
  );
  const [, second] = tenants;
  await insertRows(client, 'payment_credits', [
    {
      organization_id: second?.organizationId,
      payment_order_id: second?.orders[0]?.id,
      blockchain_transaction_id: world.oddTransactionId,
      units: 1,
    },
  ]);
  await insertRows(
    client,
    'unique_amounts',
    tenants.map(({ organizationId, people, orders }) => ({
      asset_id: coin.id,
      pay_to: people.OWNER.address,
      units: 7,
      claimed_organization_id: organizationId,
      claimed_for_id: orders[0]?.id,
    })),
  );
  await insertRows(
    client,
    'watched_accounts',
    tenants.flatMap(({ people }) => [
      { chain_id, address: people.OWNER.address, sender: null },
      { chain_id, address: people.MEMBER.address, sender: people.OWNER.address },
    ]),
  );
}

/** Tables that belong to nobody, with a row of each kind. */
async function seedCommonTables(client: pg.Client, { tenants }: Seeded): Promise<void> {
  await insertRows(
    client,
    'challenges',
    [ago(1), ago(-1)].map((expires_at) => ({ nonce_hash: hash(), purpose: 'SIGN_IN', expires_at })),
  );
  await insertRows(
    client,
    'merge_tickets',
    tenants.flatMap(({ people: { OWNER, MEMBER } }) =>
      [ago(1), ago(-1)].map((expires_at) => ({
        ticket_hash: hash(),
        user_id: OWNER.userId,
        identity_id: MEMBER.identityId,
        other_user_id: MEMBER.userId,
        expires_at,
      })),
    ),
  );
  await insertRows(
    client,
    'email_codes',
    tenants.flatMap(({ people }) =>
      [ago(1), ago(0)].map((created_at) => ({
        user_id: people.OWNER.userId,
        email: 'alice@example.org',
        code_hash: hash(),
        client_hash: hash(),
        created_at,
        expires_at: ago(-1),
      })),
    ),
  );
  await insertRows(
    client,
    'sign_in_attempts',
    tenants
      .flatMap(({ people }) => Object.values(people))
      .map(({ address, userId }) => ({ outcome: 'OK', address, user_id: userId })),
  );
  await insertRows(
    client,
    'operators',
    tenants.map(({ people }) => ({ user_id: people.MEMBER.userId, granted_by: 'root@here', reason: 'on duty' })),
  );
  await insertRows(
    client,
    'rate_limits',
    [ago(2), ago(0)].map((window_start) => ({ key_hash: hash(), window_start, hits: 1 })),
  );
  await insertRows(
    client,
    'sign_in_failures',
    [ago(2), ago(0)].map((failed_at) => ({ key_hash: hash(), failures: 1, failed_at })),
  );
  await client.query("insert into event_epochs (epoch, system_identifier) values (1, 'here') on conflict do nothing");
  await insertRows(client, 'event_bookmarks', [{ subscriber: 'somebody' }]);
  // one that is still to be worked on, one that was just done, and one that was done long ago
  for (const [subscriber, processedAt] of [['somebody', null] as const, ['nobody', ago(1)], ['anybody', ago(8)]]) {
    await client.query(
      `insert into event_deliveries (organization_id, subscriber, event_id, processed_at)
       select organization_id, $1, id, $2 from events`,
      [subscriber, processedAt],
    );
  }
}
