import { mutate, type Outcome } from '../identity/linker.ts';
import { type SignedIn, sql } from '../identity/visitor.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';

/** A link as it was made. */
export interface MadeLink {
  readonly id: string;
  readonly slug: string;
}

/** Makes a link that pays to the address, in the organization that the person works in. */
export async function linkTo(house: TestTollhouse, { accessToken }: SignedIn, payTo: string): Promise<MadeLink> {
  const [asset] = await sql(house, 'select caip19 from assets where address is null');
  const { code, data } = await mutate<{ paymentLink: MadeLink }>(
    house,
    accessToken,
    'createPaymentLink',
    { title: 'Tea', accepts: [{ asset: asset?.caip19, amount: '1', payTo }] },
    'paymentLink { id slug }',
  );
  if (!data) throw new Error(`No link was made: ${code}`);
  return data.paymentLink;
}

/** Begins to pay the link; answers the code, and the order's token. */
export async function orderOf(
  house: TestTollhouse,
  { slug }: MadeLink,
  payer: string,
): Promise<Outcome<{ checkoutOrder: { token: string } }>> {
  return mutate(house, undefined, 'createPaymentOrder', { slug, payer }, 'checkoutOrder { token }');
}

/** The slug of the organization that the person works in. */
export async function slugOf(house: TestTollhouse, { accessToken }: SignedIn): Promise<string> {
  const { data } = await house.ask<{ organization: { slug: string } }>(
    '{ organization { slug } }',
    {},
    { token: accessToken },
  );
  return data?.organization.slug ?? '';
}

export type Gone = { readonly organizationId: string; readonly restorableUntil: string };

/** Deletes the organization that the person works in, by its slug unless another is given. */
export async function remove(house: TestTollhouse, person: SignedIn, slug?: string): Promise<Outcome<Gone>> {
  const named = slug ?? (await slugOf(house, person));
  return mutate(house, person.accessToken, 'deleteOrganization', { slug: named }, 'organizationId restorableUntil');
}

export type Restored = {
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string };
  readonly replayed: boolean;
};

export function restore(
  house: TestTollhouse,
  { accessToken }: SignedIn,
  organizationId: string,
  idempotencyKey?: string,
): Promise<Outcome<Restored>> {
  return mutate(
    house,
    accessToken,
    'restoreDeletedOrganization',
    { organizationId, idempotencyKey },
    'organization { id name slug } replayed',
  );
}

export interface Deleted {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly deletedAt: string;
  readonly restorableUntil: string;
}

/** What the person may restore. */
export async function deletedOf(house: TestTollhouse, { accessToken }: SignedIn): Promise<readonly Deleted[]> {
  const { data } = await house.ask<{ viewer: { deletedOrganizations: Deleted[] } }>(
    '{ viewer { deletedOrganizations { id name slug deletedAt restorableUntil } } }',
    {},
    { token: accessToken },
  );
  return data?.viewer.deletedOrganizations ?? [];
}

/** Goes on in another organization. */
export async function switchTo(house: TestTollhouse, person: SignedIn, organizationId: string): Promise<SignedIn> {
  const { code, data } = await mutate<SignedIn>(
    house,
    person.accessToken,
    'switchOrganization',
    { organizationId },
    'accessToken refreshToken expiresAt isNewUser viewer { user { id } organization { id } }',
  );
  if (!data) throw new Error(`Could not switch: ${code}`);
  return data;
}
