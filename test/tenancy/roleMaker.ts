import { randomBytes } from 'node:crypto';
import { mutate, type Outcome } from '../identity/linker.ts';
import { runIn, type SceneOutcome } from '../identity/scenes.ts';
import type { Tenant, TenantRole } from '../support/tenants.ts';
import { memberScene } from '../support/tenants.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { membershipOf, tokenOf } from './memberChanges.ts';

/** A custom role as the API shows it. */
export interface RoleSeen {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
}

type Changed = { readonly role: RoleSeen; readonly replayed: boolean };

export const ROLE = 'id name description permissions';

export function createRole(house: TestTollhouse, token: string, input: object): Promise<Outcome<Changed>> {
  return mutate<Changed>(house, token, 'createRole', input, `role { ${ROLE} } replayed`);
}

export function updateRole(house: TestTollhouse, token: string, input: object): Promise<Outcome<Changed>> {
  return mutate<Changed>(house, token, 'updateRole', input, `role { ${ROLE} } replayed`);
}

export function deleteRole(
  house: TestTollhouse,
  token: string,
  input: object,
): Promise<Outcome<{ readonly roleId: string; readonly replayed: boolean }>> {
  return mutate(house, token, 'deleteRole', input, 'roleId replayed');
}

/** A role of the tenant's with these permissions, by its global id. */
export async function makeRole(house: TestTollhouse, tenant: Tenant, permissions: readonly string[]): Promise<string> {
  const name = `Role ${randomBytes(6).toString('hex')}`;
  const { code, data } = await createRole(house, await tokenOf(house, tenant, 'OWNER'), { name, permissions });
  if (!data) throw new Error(`No role: ${code}`);
  return data.role.id;
}

/** Gives a person of the tenant's a role with these permissions, as its owner, and answers the role's global id. */
export async function giveRole(
  house: TestTollhouse,
  tenant: Tenant,
  permissions: readonly string[],
  to: TenantRole = 'MEMBER',
): Promise<string> {
  const roleId = await makeRole(house, tenant, permissions);
  const id = await membershipOf(house, tenant, tenant.people[to].userId);
  const input = { id, roleId };
  const { code } = await mutate(house, await tokenOf(house, tenant, 'OWNER'), 'updateMembership', input, 'replayed');
  if (code !== 'OK') throw new Error(`The role was not given: ${code}`);
  return roleId;
}

/** Raw statements in the scene of somebody of the tenant's. */
export function runAs(
  house: TestTollhouse,
  tenant: Tenant,
  role: TenantRole,
  ...statements: readonly string[]
): Promise<SceneOutcome> {
  return runIn(house, memberScene(tenant, role, 'raw'), ...statements);
}

export const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? '';
