import type { Tenant } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** What is done with a custom role by the organization's owner. */
export function roleRuns(tollhouse: () => CountedTollhouse, tenant: () => Tenant): Readonly<Record<string, Run>> {
  const tokenOf = async (): Promise<string> =>
    (await tollhouse().resources.tokens.issue({ ...tenant().people.OWNER, organizationId: tenant().organizationId }))
      .token;
  let id = '';
  return {
    createRole: async () => {
      const run = await tollhouse().count(
        `mutation { createRole(input: { name: "Cashier", permissions: ["payments:read"] }) {
          role { id name permissions }
        } }`,
        {},
        await tokenOf(),
      );
      id = (run.answer.data as { createRole: { role: { id: string } } }).createRole.role.id;
      return run;
    },
    updateRole: async () =>
      tollhouse().count(
        `mutation ($id: ID!) { updateRole(input: { id: $id, permissions: ["members:read"] }) {
          role { name permissions }
        } }`,
        { id },
        await tokenOf(),
      ),
    deleteRole: async () =>
      tollhouse().count('mutation ($id: ID!) { deleteRole(input: { id: $id }) { roleId } }', { id }, await tokenOf()),
  };
}
