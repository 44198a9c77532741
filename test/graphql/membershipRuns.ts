import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant, TenantRole } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** What is done with the members of this organization by its owner, and by its admin who then leaves. */
export function membershipRuns(tollhouse: () => CountedTollhouse, tenant: () => Tenant): Readonly<Record<string, Run>> {
  const tokenOf = async (role: TenantRole): Promise<string> =>
    (await tollhouse().resources.tokens.issue({ ...tenant().people[role], organizationId: tenant().organizationId }))
      .token;
  const membershipOf = async (role: TenantRole): Promise<string> => {
    const { rows } = await withSession(tollhouse().database.adminUrl, (client) =>
      client.query<{ id: string }>('select id from memberships where organization_id = $1 and user_id = $2', [
        tenant().organizationId,
        tenant().people[role].userId,
      ]),
    );
    return encodeGlobalId('Membership', rows[0]?.id ?? '');
  };
  return {
    updateMembership: async () =>
      tollhouse().count(
        `mutation ($id: ID!) { updateMembership(input: { id: $id, role: ADMIN, jobTitle: "Baker" }) {
          membership { role jobTitle user { displayName } }
        } }`,
        { id: await membershipOf('ADMIN') },
        await tokenOf('OWNER'),
      ),
    removeMember: async () =>
      tollhouse().count(
        'mutation ($id: ID!) { removeMember(input: { id: $id }) { membership { status leftAt } } }',
        { id: await membershipOf('MEMBER') },
        await tokenOf('OWNER'),
      ),
    leaveOrganization: async () =>
      tollhouse().count('mutation { leaveOrganization { organizationId } }', {}, await tokenOf('ADMIN')),
    createOrganization: async () =>
      tollhouse().count(
        'mutation { createOrganization(input: { name: "Tea house" }) { organization { id name slug } } }',
        {},
        await tokenOf('OWNER'),
      ),
  };
}
