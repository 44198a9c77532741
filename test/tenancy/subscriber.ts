import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { mutate, type Outcome } from '../identity/linker.ts';
import { type Person, signIn } from '../support/person.ts';
import type { Tenant, World } from '../support/tenants.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { makeOperator } from './operatorHouse.ts';

/** Somebody who has signed in, and is an operator. */
export async function enterOperator(house: TestTollhouse): Promise<Person> {
  const operator = await signIn(house);
  await makeOperator(house, operator);
  return operator;
}

/** What an organization may have, as somebody sees it. */
export type SubscriptionSeen = Readonly<Record<string, unknown>>;

export const SUBSCRIPTION = 'subscription { tier expiresAt isExpired maxMembers maxLinks members links }';

/** Says what an organization may have, as somebody who may or may not. */
export function subscribe(
  house: TestTollhouse,
  token: string | undefined,
  { organizationId }: Pick<Tenant, 'organizationId'>,
  input: object,
): Promise<Outcome<{ changed: boolean; organization: { subscription: SubscriptionSeen } }>> {
  return mutate(
    house,
    token,
    'setSubscription',
    { organizationId: encodeGlobalId('Organization', organizationId), reason: 'as agreed', ...input },
    `changed organization { ${SUBSCRIPTION} }`,
  );
}

/** What the organization that a session works in may have. */
export async function subscriptionOf(house: TestTollhouse, token: string): Promise<SubscriptionSeen | null> {
  const { data, errors } = await house.ask<{ organization: { subscription: SubscriptionSeen | null } }>(
    `{ organization { ${SUBSCRIPTION} } }`,
    {},
    { token },
  );
  if (!data) throw new Error(`No organization: ${JSON.stringify(errors)}`);
  return data.organization.subscription;
}

/** Makes a link that pays its tenant's owner. */
export function makeLink(
  house: TestTollhouse,
  { token, tenant, world }: { readonly token: string; readonly tenant: Tenant; readonly world: World },
  more: object = {},
): Promise<Outcome<{ paymentLink: { id: string } }>> {
  const accepts = [{ asset: world.coin.caip19, amount: '1', payTo: tenant.people.OWNER.address }];
  return mutate(house, token, 'createPaymentLink', { title: 'Lunch', accepts, ...more }, 'paymentLink { id } replayed');
}
