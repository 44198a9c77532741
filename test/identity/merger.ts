import type { TestTollhouse } from '../support/tollhouse.ts';
import { mutate, type Outcome, signFor } from './linker.ts';
import { codeOf, rowId, type SignedIn, sql, type Wallet } from './visitor.ts';

type House = Pick<TestTollhouse, 'ask' | 'url' | 'database'>;

/** The ticket that linking somebody else's wallet is refused with. */
export async function ticketFor(house: House, { accessToken }: SignedIn, wallet: Wallet): Promise<string> {
  const answer = await house.ask(
    'mutation ($input: LinkWalletInput!) { linkWallet(input: $input) { alreadyLinked } }',
    { input: await signFor(house, accessToken, 'LINK', wallet) },
    { token: accessToken },
  );
  const { mergeTicket } = (answer.errors[0]?.extensions.facts ?? {}) as { mergeTicket?: string };
  if (mergeTicket === undefined) throw new Error(`No ticket: ${codeOf(answer)}`);
  return mergeTicket;
}

export function merge(
  house: House,
  { accessToken }: Pick<SignedIn, 'accessToken'>,
  mergeTicket: string,
): Promise<Outcome<{ userId: string }>> {
  return mutate(house, accessToken, 'mergeUsers', { mergeTicket }, 'userId');
}

/** What a preview says. */
export interface Preview {
  readonly viewerSurvives: boolean;
  readonly identities: readonly { kind: string; subject: string; isViewers: boolean; primary: boolean }[];
  readonly organizations: readonly {
    name: string;
    viewerRole: string | null;
    otherRole: string | null;
    role: string;
  }[];
}

export async function preview(house: House, token: string | undefined, mergeTicket: string): Promise<Outcome<Preview>> {
  const answer = await house.ask<{ mergePreview: Preview }>(
    `query ($mergeTicket: String!) { mergePreview(mergeTicket: $mergeTicket) {
      viewerSurvives
      identities { kind subject isViewers primary }
      organizations { name viewerRole otherRole role }
    } }`,
    { mergeTicket },
    { ...(token !== undefined && { token }) },
  );
  return { code: codeOf(answer), data: answer.data?.mergePreview ?? null };
}

/** Puts a person into another's organization, as the operator would. */
export async function join(
  house: House,
  person: SignedIn,
  organizationId: string,
  role: string,
  status = 'ACTIVE',
): Promise<void> {
  await sql(
    house,
    `insert into memberships (organization_id, user_id, role, status, joined_at)
     values ($1, $2, $3::membership_role, $4::membership_status, now())
     on conflict (organization_id, user_id) do update set role = excluded.role, status = excluded.status`,
    [rowId(organizationId), rowId(person.viewer.user.id), role, status],
  );
}

/** The places of a user in organizations, as `role status`, by the organization's id. */
export async function placesOf(house: House, userId: string): Promise<Record<string, string>> {
  const rows = await sql(house, 'select organization_id, role, status from memberships where user_id = $1', [
    rowId(userId),
  ]);
  return Object.fromEntries(rows.map(({ organization_id, role, status }) => [organization_id, `${role} ${status}`]));
}
