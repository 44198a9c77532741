import { mutate, type Outcome } from '../identity/linker.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

/** A house with two organizations, each with an owner, an admin and a member who are signed in. */
export interface TwoTenants {
  readonly house: TestTollhouse;
  readonly world: World;
  readonly one: Tenant;
  readonly other: Tenant;
  tokenOf(tenant: Tenant, role?: TenantRole): Promise<string>;
}

export async function openTwoTenants(settings: Record<string, string> = {}): Promise<TwoTenants> {
  const house = await startTollhouse({ settings });
  const world = await seedTenants(house.database.adminUrl, { tenants: 2 });
  const [one, other] = world.tenants as [Tenant, Tenant];
  return {
    house,
    world,
    one,
    other,
    tokenOf: async ({ organizationId, people }, role = 'OWNER') =>
      (await house.resources.tokens.issue({ ...people[role], organizationId })).token,
  };
}

/** An organization as its owner sees it. */
const SEEN = `organization {
  name slug description contactEmail address metadata
  settings { requireStepUp } storeConfiguration { config theme layout features }
}`;

export type Seen = Readonly<Record<string, unknown>>;

export function change(
  house: TestTollhouse,
  token: string | undefined,
  field: 'updateOrganization' | 'updateOrganizationSettings' | 'updateStoreConfiguration',
  input: object,
  headers: Record<string, string> = {},
): Promise<Outcome<{ organization: Seen; replayed: boolean }>> {
  return mutate(house, token, field, input, `${SEEN} replayed`, headers);
}

export async function look(house: TestTollhouse, token: string): Promise<Seen> {
  const { data } = await house.ask<{ organization: Seen }>(`{ ${SEEN} }`, {}, { token });
  return data?.organization ?? {};
}
