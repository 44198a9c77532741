import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { organizationImpersonated } from '../events.ts';
import { cleanReason } from '../model.ts';
import { recordOperatorAction } from './recordOperatorAction.ts';

/** A token by which an operator looks into an organization; there is no other that follows it. */
export interface Impersonation {
  readonly accessToken: string;
  readonly expiresAt: Date;
}

/**
 * Lets an operator look into an organization, a suspended one too, for as long as an access token lives: it reads what
 * members read, and the database lets it write nothing. The record of it is what the token stands for.
 * @throws ORGANIZATION_UNKNOWN, OPERATOR_NOT_CONFIGURED, STEP_UP_REQUIRED, FORBIDDEN
 */
export async function impersonate(
  context: Context,
  input: { readonly organizationId: string; readonly reason: string },
): Promise<Impersonation> {
  const { organizationId } = input;
  const { environment, requestId, tokens } = context;
  const scope = context.operatorScope();
  const reason = cleanReason(input.reason);
  const { id, operatorId } = await recordOperatorAction(context, {
    deed: 'IMPERSONATE',
    organizationId,
    reason,
    seconds: environment.ACCESS_TOKEN_SECONDS,
  });
  // where the operator asks from is none of the organization's business
  await scope.write((tx) => [
    appendNextEvent({ requestId }, tx, organizationImpersonated({ organizationId, operatorId, actionId: id, reason })),
  ]);
  const { token, expiresAt } = await tokens.issue({
    sessionId: id,
    userId: operatorId,
    organizationId,
    impersonates: true,
  });
  return { accessToken: token, expiresAt: new Date(expiresAt) };
}
