import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { newId } from '../../../src/kernel/ids.ts';
import { insertRows, type Tenant } from '../../support/tenants.ts';

/** A member whose permissions are those of a custom role, signed in on the organization's own domain. */
export interface Clerk {
  readonly userId: string;
  readonly identityId: string;
  readonly sessionId: string;
}

/** One in each organization. */
export type Clerks = Readonly<Record<string, Clerk>>;

/** What the clerk's role allows, and two roles that nobody has: an admin may give the first of them. */
const ROLES = {
  Clerk: '{payment-links:read}',
  Reader: '{payments:read}',
  Deputy: '{organization:read,organization:write}',
} as const;

const newHash = (): string => `\\x${randomBytes(32).toString('hex')}`;

export function makeClerks(tenants: readonly Tenant[]): Clerks {
  return Object.fromEntries(
    tenants.map(({ organizationId }) => [organizationId, { userId: newId(), identityId: newId(), sessionId: newId() }]),
  );
}

/**
 * Writes them, with their organizations' roles.
 * @param sameIds whether the roles of all organizations have the same ids
 */
export async function seedClerks(
  client: pg.Client,
  tenants: readonly Tenant[],
  { clerks, sameIds, expiresAt }: { readonly clerks: Clerks; readonly sameIds: boolean; readonly expiresAt: Date },
): Promise<void> {
  const shared = Object.keys(ROLES).map(() => newId());
  const readers = new Map<string, string | undefined>();
  for (const { organizationId, domain } of tenants) {
    const { userId, identityId, sessionId } = clerks[organizationId] as Clerk;
    const roles = Object.entries(ROLES).map(([name, permissions], index) => ({
      organization_id: organizationId,
      id: sameIds ? shared[index] : newId(),
      name,
      permissions,
    }));
    readers.set(organizationId, roles[1]?.id);
    await insertRows(client, 'roles', roles);
    await insertRows(client, 'users', [{ id: userId, display_name: 'Clerk' }]);
    const address = `0x${randomBytes(20).toString('hex')}`;
    await insertRows(client, 'identities', [
      {
        id: identityId,
        user_id: userId,
        kind: 'WALLET',
        issuer: 'eip155',
        subject: address,
        address,
        wallet_kind: 'EOA',
        wallet_source: 'EXTERNAL',
      },
    ]);
    await insertRows(client, 'memberships', [
      { organization_id: organizationId, user_id: userId, role: 'MEMBER', role_id: roles[0]?.id, status: 'ACTIVE' },
    ]);
    await insertRows(client, 'idempotency_keys', [
      {
        organization_id: organizationId,
        principal: `user:${userId}`,
        operation: 'something',
        key_hash: newHash(),
        request_hash: newHash(),
        result_id: newId(),
        expires_at: expiresAt,
      },
    ]);
    await insertRows(client, 'sessions', [
      {
        id: sessionId,
        user_id: userId,
        identity_id: identityId,
        organization_id: organizationId,
        domain_id: domain.id,
        refresh_hash: newHash(),
        expires_at: expiresAt,
      },
    ]);
  }
  // in the second organization the first one's clerk has another role, which nobody has in the first
  const [first, second] = tenants as [Tenant, Tenant];
  const elsewhere = { organization_id: second.organizationId, role_id: readers.get(second.organizationId) };
  await insertRows(client, 'memberships', [
    { ...elsewhere, user_id: clerks[first.organizationId]?.userId, role: 'MEMBER', status: 'ACTIVE' },
  ]);
}
