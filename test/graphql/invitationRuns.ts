import type { Outbox } from '../../src/identity/providers/outbox.ts';
import type { Tenant } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** Somebody of another organization is invited to this one by mail, twice, and accepts the first. */
export function invitationRuns({
  house,
  tenant,
  guest,
}: {
  readonly house: () => Pick<CountedTollhouse, 'count' | 'resources'>;
  readonly tenant: () => Tenant;
  /** The organization that whoever is invited comes from, as its owner. */
  readonly guest: () => Tenant;
}): Readonly<Record<string, Run>> {
  const tokenOf = async ({ organizationId, people }: Tenant): Promise<string> =>
    (await house().resources.tokens.issue({ ...people.OWNER, organizationId })).token;
  let invitationId = '';
  const invite = async (): ReturnType<Run> => {
    const run = await house().count(
      `mutation { inviteMember(input: { email: "guest@example.org", role: MEMBER }) {
        invitation { id status expiresAt invitedBy { displayName } }
      } }`,
      {},
      await tokenOf(tenant()),
    );
    invitationId = (run.answer.data as { inviteMember: { invitation: { id: string } } }).inviteMember.invitation.id;
    return run;
  };
  return {
    inviteMember: invite,
    acceptInvitation: async () => {
      const { mails } = house().resources.mailSender as Outbox;
      const [, token] = /^ {4}(th_iv_[\w-]+)\r?$/m.exec(mails.at(-1)?.text ?? '') ?? [];
      return house().count(
        `mutation ($token: String!) { acceptInvitation(input: { token: $token }) {
          membership { role organization { name } }
        } }`,
        { token },
        await tokenOf(guest()),
      );
    },
    revokeInvitation: async () => {
      await invite();
      return house().count(
        'mutation ($id: ID!) { revokeInvitation(input: { id: $id }) { invitation { status } } }',
        { id: invitationId },
        await tokenOf(tenant()),
      );
    },
  };
}
