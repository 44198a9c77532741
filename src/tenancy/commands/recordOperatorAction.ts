import type { Context } from '../../context.ts';
import { newId } from '../../kernel/ids.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';

/** What an operator may do to an organization. */
export type OperatorDeed = 'SUSPEND' | 'RESTORE' | 'IMPERSONATE' | 'SUBSCRIBE';

/** What is on record now, before it is done. */
export interface RecordedAction {
  readonly id: string;
  readonly operatorId: string;
  /** When looking in ends; null for everything else. */
  readonly expiresAt: Date | null;
}

/**
 * Puts on record what an operator sets about, in a transaction of its own: what then fails stays there as an attempt.
 * Its organization reads it; whoever is no operator adds nothing.
 * @param input.seconds how long the operator may look in
 * @throws ORGANIZATION_UNKNOWN for an unknown one, and unless it is to be restored for a deleted one; STEP_UP_REQUIRED,
 * FORBIDDEN
 */
export async function recordOperatorAction(
  context: Context,
  input: {
    readonly deed: OperatorDeed;
    readonly organizationId: string;
    readonly reason: string;
    readonly seconds?: number;
  },
): Promise<RecordedAction> {
  const { requestId, viewer } = context;
  const scope = context.operatorScope();
  assertPerson(viewer);
  const { deed, organizationId, reason, seconds = null } = input;
  const id = newId();
  const [recorded] = await scope.write((tx) => [
    tx.$queryRaw<{ expiresAt: Date | null }[]>`
      /* recordOperatorAction */
      insert into operator_actions (
        organization_id, id, deed, user_id, user_name, session_id, reason, request_id, expires_at
      )
      select
        o.id, ${id}::uuid, ${deed}::operator_deed, u.id, u.display_name, ${viewer.sessionId}::uuid, ${reason},
        ${requestId}, transaction_timestamp() + make_interval(secs => ${seconds}::int)
      from organizations o, users u
      where o.id = ${organizationId}::uuid and (o.deleted_at is null or ${deed} = 'RESTORE')
        and u.id = (select current_user_id())
      returning expires_at as "expiresAt"`,
  ]);
  const [row] = recorded;
  if (!row) throw tenancyErrors.ORGANIZATION_UNKNOWN();
  return { id, operatorId: viewer.userId, expiresAt: row.expiresAt };
}
