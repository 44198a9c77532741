import type { Context } from '../../context.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { type TakenInvitation, takeInvitation } from './takeInvitation.ts';

/**
 * Makes the viewer a member of the organization that invites them; the session stays where it works. It takes no key:
 * an invitation is good once, and so the second time is told that.
 * @param input.token what was sent to an e-mail address
 * @param input.id of one that is for a wallet of the viewer's
 * @throws BAD_USER_INPUT unless it is exactly one of the two; what `takeInvitation` throws
 */
export async function acceptInvitation(
  context: Context,
  { token, invitation }: { readonly token: string | null; readonly invitation: { readonly id: string | null } | null },
): Promise<TakenInvitation> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  if ((token === null) === (invitation === null)) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'input', expected: 'either `token` or `id`' });
  }
  return takeInvitation(context, { scope, token, id: invitation?.id ?? null });
}
