import { randomBytes } from 'node:crypto';
import { newId } from '../../../src/kernel/ids.ts';
import { type Actor, ROLE_OF, type Who } from '../actors.ts';
import type { Row } from '../declarations/scopes.ts';
import type { CrowdedWorld } from './world.ts';

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const hash = (): string => `\\x${hex(32)}`;
const account = (): string => `0x${hex(20)}`;
const number = (): string => String(randomBytes(4).readUInt32BE() & 0x7fffffff);

/** What must be another in a second row of the table, besides its id. */
const ANOTHER: Readonly<Record<string, (world: CrowdedWorld) => Row>> = {
  api_keys: () => ({ prefix: hex(8), revoked_at: null }),
  assets: () => ({ caip19: `eip155:1/erc20:${account()}` }),
  audit_seals: () => ({ position: number() }),
  blockchain_transactions: () => ({ hash: `0x${hex(32)}` }),
  chain_blocks: () => ({ number: number() }),
  chain_finality_rules: () => ({ from_units: number() }),
  chain_incarnations: () => ({ genesis_hash: `0x${hex(32)}`, current: 'false' }),
  chain_transfers: () => ({ transaction_hash: `0x${hex(32)}` }),
  chains: () => ({ chain_id: number() }),
  challenges: () => ({ nonce_hash: hash() }),
  event_bookmarks: () => ({ subscriber: hex(8) }),
  event_deliveries: () => ({ subscriber: hex(8) }),
  event_epochs: () => ({ epoch: number() }),
  events: () => ({ aggregate_id: newId() }),
  handles: () => ({ value_hash: hash() }),
  idempotency_keys: () => ({ key_hash: hash() }),
  identities: () => ({ subject: account() }),
  invitations: () => ({ revoked_at: null, accepted_at: null, accepted_by_id: null }),
  memberships: ({ guestId }) => ({ user_id: guestId }),
  merge_tickets: () => ({ ticket_hash: hash() }),
  operators: ({ guestId }) => ({ user_id: guestId }),
  organizations: () => ({ slug: `slug-${hex(8)}` }),
  organization_domains: () => ({ host: `x${hex(8)}.com`, is_primary: 'false' }),
  payment_credits: ({ spareTransactionId }) => ({ blockchain_transaction_id: spareTransactionId }),
  payment_link_accepts: ({ spareAssetId }) => ({ asset_id: spareAssetId, position: '1' }),
  payment_links: () => ({ slug: `slug-${hex(8)}` }),
  payment_orders: () => ({ reference: `\\x${hex(16)}` }),
  provider_transactions: () => ({ reference: hex(8) }),
  rate_limits: () => ({ key_hash: hash() }),
  roles: () => ({ name: hex(8) }),
  sign_in_failures: () => ({ key_hash: hash() }),
  unique_amounts: () => ({ units: number() }),
  unmatched_payments: ({ spareTransactionId }) => ({ blockchain_transaction_id: spareTransactionId }),
  user_profiles: ({ guestId }) => ({ user_id: guestId, user_name: `u_${hex(8)}` }),
  watched_accounts: () => ({ address: account() }),
};

/** What each would write in a row of its own, so that nothing but whose row it is decides whether it may. */
const WRITTEN_BY: Readonly<Record<string, (actor: Actor, world: CrowdedWorld, row: Row) => Row>> = {
  // one for each key, and every other organization’s have theirs
  api_key_uses: (_, { gone }, row) => ({ organization_id: gone.organizationId, id: row.id ?? null }),
  api_keys: ({ who }): Row => (who.userId ? { created_by_id: who.userId, responsible_id: who.userId } : {}),
  events: ({ name, who }) => {
    if (ROLE_OF[name] === 'tollhouse_public') return { actor: 'payer', type: 'payment-order.created' };
    if (ROLE_OF[name] === 'tollhouse_worker') return { actor: 'worker', type: 'payment-order.paid' };
    if (name === 'operator') return { actor: `operator:${who.userId}`, type: 'organization.suspended' };
    if (name === 'MEMBER' || name === 'clerk') return { actor: `user:${who.userId}`, type: 'wallet.linked' };
    if (name === 'doorkeeper') return { type: 'user.merged' };
    if (who.keyId) return { actor: `key:${who.keyId}`, type: 'payment-link.created' };
    const types: Row = { newcomer: 'organization.created', OWNER: 'organization.updated' };
    return { actor: `user:${who.userId}`, type: types[name] ?? 'payment-link.created' };
  },
  handles: ({ name }) => ({ kind: ROLE_OF[name] === 'tollhouse_public' ? 'payment-order' : 'payment-link' }),
  idempotency_keys: ({ who }, _, row) => {
    if (who.userId) return { principal: `user:${who.userId}` };
    if (who.keyId) return { principal: `key:${who.keyId}` };
    return { principal: who.targetId ? `link:${who.targetId}` : (row.principal ?? null) };
  },
  identities: ({ name, who }): Row => (name === 'newcomer' || name === 'MEMBER' ? { ...who.account } : {}),
  invitations: ({ who }): Row => (who.userId ? { invited_by_id: who.userId, role: 'MEMBER' } : {}),
  memberships: ({ name, who }): Row => {
    if (name === 'newcomer') return { user_id: who.userId ?? null, role: 'OWNER', role_id: null };
    return { role: name === 'OWNER' || name === 'ADMIN' ? name : 'MEMBER', role_id: null };
  },
  operator_actions: ({ name, who }): Row =>
    name === 'operator' && who.userId && who.sessionId ? { user_id: who.userId, session_id: who.sessionId } : {},
  // one each, and every other organization has its own
  organization_settings: (_, { gone }) => ({ organization_id: gone.organizationId }),
  store_configurations: (_, { gone }) => ({ organization_id: gone.organizationId }),
  payment_link_accepts: ({ who }, { tenants }): Row => {
    const payee = tenants.find(({ organizationId }) => organizationId === who.organizationId)?.people.OWNER.address;
    return payee === undefined ? {} : { pay_to: payee };
  },
  payment_links: ({ who }, _, row) => ({ created_by_id: who.userId ?? row.created_by_id ?? null }),
  // of no identity, since a newcomer's is still to come
  sessions: ({ name, who }): Row =>
    name === 'newcomer'
      ? { id: who.sessionId ?? null, identity_id: null, domain_id: null, ended_at: '2026-01-01' }
      : {},
  sign_in_attempts: ({ name }): Row => (ROLE_OF[name] === 'tollhouse_member' ? { purpose: 'LINK' } : {}),
  user_profiles: ({ who }, world): Row => (isSilent(who, world) ? { user_id: who.userId ?? null } : {}),
};

/** Who has told nothing yet, and so may begin to: everybody else has a profile, and no second one. */
const isSilent = ({ userId }: Who, { tenants }: CrowdedWorld): boolean =>
  userId !== undefined && userId === tenants[2]?.people.ADMIN.userId;

/** A second row like this one, as the actor would write it: in the same organization, for the same user. */
export function anotherLike(table: string, row: Row, actor: Actor, world: CrowdedWorld): Row {
  return { ...row, ...fresh(table, row, world), ...asWritten(table, row, actor, world) };
}

/** What no other row of the table has: an id, and another value wherever one is unique. */
export function fresh(table: string, row: Row, world: CrowdedWorld): Row {
  return { ...('id' in row && { id: newId() }), ...ANOTHER[table]?.(world) };
}

/** The same row with the words that the actor would have written it in. */
export function asWritten(table: string, row: Row, actor: Actor, world: CrowdedWorld): Row {
  return WRITTEN_BY[table]?.(actor, world, row) ?? {};
}

/** What makes a row a newcomer's own: of the user and the organization that signing up is about to make. */
export function ownedBy({ organizationId, userId }: Who, table: string, row: Row): Row {
  const owned: Record<string, string | undefined> = { organization_id: organizationId, user_id: userId };
  if (table === 'users') owned.id = userId;
  if (table === 'organizations') owned.id = organizationId;
  return Object.fromEntries(
    Object.entries(owned).flatMap(([column, id]) => (column in row && id !== undefined ? [[column, id]] : [])),
  );
}
