import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { isForeignKeyViolation } from '../../database/errors.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { identityErrors } from '../../identity/errors.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { invitationCreated } from '../events.ts';
import { cleanInvited, type Invited } from './cleanInvited.ts';
import { cleanInvitedRole, type InvitedRole } from './cleanInvitedRole.ts';
import { renewInvitation } from './renewInvitation.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';
import { sendInvitation } from './sendInvitation.ts';
import { takeInvitationLimit } from './takeInvitationLimit.ts';

interface NewInvitation extends InvitedRole {
  readonly id: string;
  readonly invited: Invited;
  /** What whoever reads the e-mail address is sent; null for a wallet. */
  readonly token: string | null;
}

/**
 * Invites a wallet, or whoever reads an e-mail address, to the viewer's organization. Needs `members:write`, and whatever
 * the role allows. A mail is sent when the invitation is stored and nothing is held; what could not be handed over is
 * revoked. A repeated key counts for no limit, and sends the mail that is not known to have gone.
 * @throws FORBIDDEN, ROLE_UNKNOWN, ROLE_ABOVE_YOURS, STEP_UP_REQUIRED, MAIL_NOT_CONFIGURED, MAIL_UNAVAILABLE, RATE_LIMITED
 */
export async function inviteMember(
  context: Context,
  input: {
    readonly email?: string | null | undefined;
    readonly address?: string | null | undefined;
    readonly chainId?: number | null | undefined;
    readonly role?: Role | null | undefined;
    /** A custom role's. */
    readonly roleId?: string | null | undefined;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly invitationId: string }>> {
  const { scope, viewer, mailSender } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { idempotencyKey } = input;
  const { role, roleId } = cleanInvitedRole(input);
  const invited = cleanInvited(input);
  if (invited.email !== null && !mailSender) throw identityErrors.MAIL_NOT_CONFIGURED();
  const token = invited.email === null ? null : `th_iv_${randomBytes(32).toString('base64url')}`;
  const id = newId();
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'inviteMember',
    variables: { role, ...(roleId !== null && { roleId }), ...invited },
    resultId: id,
  };
  const done = await once(
    scope,
    keyed,
    async (record) => {
      await scope.transaction(async (tx) => {
        await requireOrganizationStepUp(tx);
        for (const deed of record(tx)) await deed;
        await requireGrant(tx, { role, roleId });
        // behind the key, so that what was done before counts nothing
        await takeInvitationLimit(context, tx, invited);
        await insertInvitation(context, tx, { id, role, roleId, invited, token });
        const fact = { organizationId, userId, invitationId: id };
        const kind = invited.email === null ? 'WALLET' : 'EMAIL';
        await appendEvent(context, tx, invitationCreated({ ...fact, role, roleId: roleId ?? undefined, kind }));
      });
      return { invitationId: id };
    },
    async (invitationId) => ({ invitationId }),
  ).catch(async (error: unknown) => {
    // the role was deleted at the same moment
    if (isForeignKeyViolation(error)) throw tenancyErrors.ROLE_UNKNOWN();
    if (error instanceof GatewayError && error.code === 'FORBIDDEN') await requireGrant(scope.db, { role, roleId });
    throw error;
  });
  if (token === null || invited.email === null) return done;
  const { invitationId } = done;
  // only the hash of a token is kept, so what never went goes with another one
  if (done.replayed && !(await renewInvitation(context, { invitationId, token }))) return done;
  await sendInvitation(context, { invitationId, email: invited.email, token, role });
  return done;
}

/** Before anything is counted: who may not invite uses nothing up. */
async function requireGrant(db: Pick<Transaction, '$queryRaw'>, { role, roleId }: InvitedRole): Promise<void> {
  const [may] = await db.$queryRaw<{ permitted: boolean; mayGive: boolean; customRole: string | null }[]>`
    /* mayInvite */
    select
      has_permission('members:write') as permitted,
      may_grant(${role}, ${roleId}::uuid) as "mayGive",
      (
        select r.name
        from roles r
        where r.organization_id = current_organization_id() and r.id = ${roleId}::uuid
      ) as "customRole"`;
  if (!may?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  if (roleId !== null && may.customRole === null) throw tenancyErrors.ROLE_UNKNOWN();
  if (!may.mayGive) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: may.customRole ?? role });
}

async function insertInvitation(
  { viewer, environment }: Context,
  tx: Transaction,
  { id, role, roleId, invited, token }: NewInvitation,
): Promise<void> {
  assertPerson(viewer);
  const { email, address, chainId } = invited;
  await tx.$executeRaw`
    /* inviteMember */
    insert into invitations (
      organization_id, id, role, role_id, email, token_hash, address, chain_id, invited_by_id, expires_at
    )
    values (
      ${viewer.organizationId}::uuid, ${id}::uuid, ${role}::membership_role, ${roleId}::uuid, ${email},
      ${token === null ? null : sha256(token)}::bytea, ${address}, ${chainId}::bigint, ${viewer.userId}::uuid,
      clock_timestamp() + make_interval(days => ${environment.INVITATION_DAYS}::int)
    )`;
}
