import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { mutate, type Outcome } from '../identity/linker.ts';
import { codeOf } from '../identity/visitor.ts';
import type { Tenant, TenantRole } from '../support/tenants.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';

/** A member as the mutations answer it. */
export interface MemberSeen {
  readonly role: string;
  readonly status: string;
  readonly jobTitle: string | null;
  readonly department: string | null;
  readonly leftAt: string | null;
}

const SEEN = 'membership { role status jobTitle department leftAt } replayed';

type Changed = { readonly membership: MemberSeen; readonly replayed: boolean };

export async function adminSql<Row>(house: TestTollhouse, text: string, values: unknown[] = []): Promise<Row[]> {
  return house.database.sql(text, values);
}

/** The global id of a person's membership in the tenant. */
export async function membershipOf(house: TestTollhouse, { organizationId }: Tenant, userId: string): Promise<string> {
  const [row] = await adminSql<{ id: string }>(
    house,
    'select id from memberships where organization_id = $1 and user_id = $2',
    [organizationId, userId],
  );
  return encodeGlobalId('Membership', row?.id ?? '');
}

export function tokenOf(house: TestTollhouse, { organizationId, people }: Tenant, role: TenantRole): Promise<string> {
  return house.resources.tokens.issue({ ...people[role], organizationId }).then(({ token }) => token);
}

export function updateMembership(house: TestTollhouse, token: string, input: object): Promise<Outcome<Changed>> {
  return mutate<Changed>(house, token, 'updateMembership', input, SEEN);
}

export function removeMember(house: TestTollhouse, token: string, input: object): Promise<Outcome<Changed>> {
  return mutate<Changed>(house, token, 'removeMember', input, SEEN);
}

/** Leaves, and answers the code. */
export async function leave(house: TestTollhouse, token: string): Promise<string> {
  return codeOf(await house.ask('mutation { leaveOrganization { organizationId } }', {}, { token }));
}

/** The types of what was told of a membership, the first first. */
export async function toldOf(house: TestTollhouse, membershipId: string): Promise<string[]> {
  const rows = await adminSql<{ type: string }>(
    house,
    `select type from events where aggregate_type = 'membership' and aggregate_id = $1 order by aggregate_version`,
    [Buffer.from(membershipId, 'base64url').toString().split(':')[1]],
  );
  return rows.map(({ type }) => type);
}
