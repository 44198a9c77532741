import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { identityErrors } from '../../identity/errors.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { invitationCreated } from '../events.ts';
import { cleanInvited, type Invited } from './cleanInvited.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';
import { sendInvitation } from './sendInvitation.ts';
import { takeInvitationLimit } from './takeInvitationLimit.ts';

interface NewInvitation {
  readonly id: string;
  readonly role: Role;
  readonly invited: Invited;
  /** What whoever reads the e-mail address is sent; null for a wallet. */
  readonly token: string | null;
}

/**
 * Invites a wallet, or whoever reads an e-mail address, to the viewer's organization. Needs `members:write`, and whatever
 * the role allows. A mail is sent when the invitation is stored and nothing is held; what could not be handed over is
 * revoked.
 * @throws FORBIDDEN, ROLE_ABOVE_YOURS, STEP_UP_REQUIRED, MAIL_NOT_CONFIGURED, MAIL_UNAVAILABLE, RATE_LIMITED
 */
export async function inviteMember(
  context: Context,
  input: {
    readonly email?: string | null | undefined;
    readonly address?: string | null | undefined;
    readonly chainId?: number | null | undefined;
    readonly role: Role;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly invitationId: string }>> {
  const { scope, viewer, mailSender } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { role, idempotencyKey } = input;
  const invited = cleanInvited(input);
  if (invited.email !== null && !mailSender) throw identityErrors.MAIL_NOT_CONFIGURED();
  const token = invited.email === null ? null : `th_iv_${randomBytes(32).toString('base64url')}`;
  const id = newId();
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'inviteMember',
    variables: { role, ...invited },
    resultId: id,
  };
  const done = await once(
    scope,
    keyed,
    async (record) => {
      await requireGrant(scope.db, role);
      await takeInvitationLimit(context, invited);
      await scope.transaction(async (tx) => {
        await requireOrganizationStepUp(tx);
        for (const deed of record(tx)) await deed;
        await requireGrant(tx, role);
        await insertInvitation(context, tx, { id, role, invited, token });
        const fact = { organizationId, userId, invitationId: id };
        const kind = invited.email === null ? 'WALLET' : 'EMAIL';
        await appendEvent(context, tx, invitationCreated({ ...fact, role, kind }));
      });
      return { invitationId: id };
    },
    async (invitationId) => ({ invitationId }),
  );
  if (token !== null && invited.email !== null && !done.replayed) {
    await sendInvitation(context, { invitationId: id, email: invited.email, token, role });
  }
  return done;
}

/** Before anything is counted, and again where it is written: who may not invite uses nothing up. */
async function requireGrant(db: Pick<Transaction, '$queryRaw'>, role: Role): Promise<void> {
  const [may] = await db.$queryRaw<{ permitted: boolean; mayGive: boolean }[]>`
    /* mayInvite */
    select has_permission('members:write') as permitted, may_grant(${role}) as "mayGive"`;
  if (!may?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  if (!may.mayGive) throw tenancyErrors.ROLE_ABOVE_YOURS({ role });
}

async function insertInvitation(
  { viewer, environment }: Context,
  tx: Transaction,
  { id, role, invited, token }: NewInvitation,
): Promise<void> {
  assertPerson(viewer);
  const { email, address, chainId } = invited;
  await tx.$executeRaw`
    /* inviteMember */
    insert into invitations (
      organization_id, id, role, email, token_hash, address, chain_id, invited_by_id, expires_at
    )
    values (
      ${viewer.organizationId}::uuid, ${id}::uuid, ${role}::membership_role, ${email},
      ${token === null ? null : sha256(token)}::bytea, ${address}, ${chainId}::bigint, ${viewer.userId}::uuid,
      clock_timestamp() + make_interval(days => ${environment.INVITATION_DAYS}::int)
    )`;
}
