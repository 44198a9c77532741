import { randomBytes } from 'node:crypto';
import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant, TenantRole } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** Deeds after which a user is no more: of people whom no other run needs. */
export function goingRuns(
  tollhouse: () => CountedTollhouse,
  { merging, leaving }: { readonly merging: () => Tenant; readonly leaving: () => Tenant },
): Readonly<Record<string, Run>> {
  const tokenOf = async ({ organizationId, people }: Tenant, role: TenantRole): Promise<string> =>
    (await tollhouse().resources.tokens.issue({ ...people[role], organizationId })).token;
  return {
    mergeUsers: async () => {
      const tenant = merging();
      const { ADMIN, MEMBER } = tenant.people;
      const ticket = `th_mt_${randomBytes(32).toString('base64url')}`;
      await withSession(tollhouse().database.adminUrl, (client) =>
        client.query(
          `insert into merge_tickets (ticket_hash, user_id, identity_id, other_user_id, expires_at)
           values (sha256(convert_to($1, 'UTF8')), $2, $3, $4, now() + interval '1 hour')`,
          [ticket, ADMIN.userId, MEMBER.identityId, MEMBER.userId],
        ),
      );
      return tollhouse().count(
        'mutation ($ticket: String!) { mergeUsers(input: { mergeTicket: $ticket }) { userId } }',
        { ticket },
        await tokenOf(tenant, 'ADMIN'),
      );
    },
    deleteUser: async () => {
      const tenant = leaving();
      return tollhouse().count(
        'mutation ($id: ID!) { deleteUser(input: { userId: $id }) { userId } }',
        { id: encodeGlobalId('User', tenant.people.MEMBER.userId) },
        await tokenOf(tenant, 'MEMBER'),
      );
    },
    deleteOrganization: async () => {
      const tenant = merging();
      await withSession(tollhouse().database.adminUrl, (client) =>
        client.query(`update payment_orders set status = 'EXPIRED', credited_units = 0 where organization_id = $1`, [
          tenant.organizationId,
        ]),
      );
      return tollhouse().count(
        'mutation ($slug: String!) { deleteOrganization(input: { slug: $slug }) { organizationId restorableUntil } }',
        { slug: tenant.marker },
        await tokenOf(tenant, 'OWNER'),
      );
    },
    restoreDeletedOrganization: async () => {
      const [{ people, organizationId: gone }, { organizationId }] = [merging(), leaving()];
      const { userId, sessionId } = people.OWNER;
      // signed in again, and a member elsewhere
      await withSession(tollhouse().database.adminUrl, async (client) => {
        await client.query(
          'update sessions set organization_id = $1, ended_at = null, end_reason = null where id = $2',
          [organizationId, sessionId],
        );
        await client.query(`insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, [
          organizationId,
          userId,
        ]);
      });
      const { token } = await tollhouse().resources.tokens.issue({ userId, sessionId, organizationId });
      return tollhouse().count(
        'mutation ($id: ID!) { restoreDeletedOrganization(input: { organizationId: $id }) { organization { name slug } } }',
        { id: encodeGlobalId('Organization', gone) },
        token,
      );
    },
  };
}
