import type { Outbox } from '../../src/identity/providers/outbox.ts';
import { mutate, type Outcome } from '../identity/linker.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';

/** An invitation as the mutations answer it. */
export interface InvitationSeen {
  readonly id: string;
  readonly role: string;
  readonly status: string;
  readonly email: string | null;
  readonly address: string | null;
  readonly chainId: number | null;
}

const SEEN = 'invitation { id role status email address chainId } replayed';

type Invited = { readonly invitation: InvitationSeen; readonly replayed: boolean };

export function invite(house: TestTollhouse, token: string | undefined, input: object): Promise<Outcome<Invited>> {
  return mutate<Invited>(house, token, 'inviteMember', input, SEEN);
}

export function revoke(house: TestTollhouse, token: string | undefined, input: object): Promise<Outcome<Invited>> {
  return mutate<Invited>(house, token, 'revokeInvitation', input, SEEN);
}

export function accept(
  house: TestTollhouse,
  token: string | undefined,
  input: object,
): Promise<
  Outcome<{ membership: { id: string; role: string; status: string; invitedBy: object | null; organization: object } }>
> {
  return mutate(
    house,
    token,
    'acceptInvitation',
    input,
    'membership { id role status invitedBy { id } organization { id name } }',
  );
}

/** The token in the last mail to an address. */
export function tokenFor({ resources }: Pick<TestTollhouse, 'resources'>, email: string): string {
  const mail = (resources.mailSender as Outbox).mails.filter(({ to }) => to === email).at(-1);
  const [, token] = /^ {4}(th_iv_[\w-]{43})\r?$/m.exec(mail?.text ?? '') ?? [];
  if (token === undefined) throw new Error(`No invitation was sent to ${email}: ${mail?.text}`);
  return token;
}

/** What somebody's wallets are invited to. */
export async function invitationsOf(
  house: TestTollhouse,
  token: string,
): Promise<readonly { id: string; organizationName: string; role: string; inviterName: string }[]> {
  const { data, errors } = await house.ask<{
    viewer: { invitations: { id: string; organizationName: string; role: string; inviterName: string }[] };
  }>('{ viewer { invitations { id organizationName role inviterName } } }', {}, { token });
  if (!data) throw new Error(`No invitations: ${JSON.stringify(errors)}`);
  return data.viewer.invitations;
}
