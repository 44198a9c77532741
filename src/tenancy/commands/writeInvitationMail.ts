import type { Context } from '../../context.ts';
import { plainName } from '../../identity/commands/plainName.ts';
import type { Role } from '../../kernel/permissions.ts';
import type { Mail } from '../../ports.ts';

/** The mail that carries an invitation: whose it is, what it is good for, and what to do when it is not wanted. */
export function writeInvitationMail(
  { signInOrigins, publicUrl, environment }: Context,
  sent: {
    readonly email: string;
    readonly token: string;
    readonly role: Role;
    readonly customRoleName: string | null;
    readonly organizationName: string;
    readonly inviterName: string;
  },
): Mail {
  const { email, token, customRoleName, organizationName, inviterName } = sent;
  const role = customRoleName === null ? sent.role.toLowerCase() : `'${plainName(customRoleName)}'`;
  const text = [
    `'${plainName(inviterName)}' invites you to '${plainName(organizationName)}', as ${role}, at`,
    `${signInOrigins[0] ?? publicUrl} . The invitation is`,
    '',
    `    ${token}`,
    '',
    `It is good for ${environment.INVITATION_DAYS} days, and once: for whoever signs in there and accepts it. Give it to nobody.`,
    '',
    'If you do not want it, do nothing.',
    '',
  ];
  return { to: email, subject: 'You are invited', text: text.join('\n') };
}
