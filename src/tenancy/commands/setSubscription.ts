import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { tenancyErrors } from '../errors.ts';
import { subscriptionChanged } from '../events.ts';
import { cleanReason, isTier } from '../model.ts';
import type { ChangedStatus } from './changeStatus.ts';
import { readOperatedOrganization } from './readOperatedOrganization.ts';
import { recordOperatorAction } from './recordOperatorAction.ts';

/** What an operator gives to an organization, as a whole; without a tier it has what the installation gives. */
export interface GivenSubscription {
  readonly tier: string | null;
  /** Null when it does not end. */
  readonly expiresAt: Date | null;
  /** Null without a limit. */
  readonly maxMembers: number | null;
  readonly maxLinks: number | null;
}

const MOST = 1_000_000;

/**
 * Gives an organization a subscription as an operator, or takes it away. It is on record before it is done; doing it
 * twice is doing it once, and on record twice. What an organization has beyond a new limit it keeps.
 * @throws ORGANIZATION_UNKNOWN, OPERATOR_NOT_CONFIGURED, STEP_UP_REQUIRED, FORBIDDEN, BAD_USER_INPUT
 */
export async function setSubscription(
  context: Context,
  input: { readonly organizationId: string; readonly reason: string; readonly subscription: GivenSubscription },
): Promise<ChangedStatus> {
  const { organizationId } = input;
  const scope = context.operatorScope();
  const reason = cleanReason(input.reason);
  const given = clean(input.subscription);
  const { tier, expiresAt, maxMembers, maxLinks } = given;
  const { id: actionId, operatorId } = await recordOperatorAction(context, {
    deed: 'SUBSCRIBE',
    organizationId,
    reason,
  });
  const changed = await scope.transaction(async (tx) => {
    const count = await tx.$executeRaw`
      /* setSubscription */
      update organizations
      set subscription_tier = ${tier},
          subscription_expires_at = ${expiresAt}::timestamptz,
          max_members = ${maxMembers}::int,
          max_links = ${maxLinks}::int
      where id = ${organizationId}::uuid and deleted_at is null
        and (subscription_tier, subscription_expires_at, max_members, max_links) is distinct from
          (${tier}::text, ${expiresAt}::timestamptz, ${maxMembers}::int, ${maxLinks}::int)`;
    if (count === 0) return false;
    // where the operator asks from is none of the organization's business
    await appendNextEvent(
      { requestId: context.requestId },
      tx,
      subscriptionChanged({ organizationId, operatorId, actionId, reason, ...given }),
    );
    return true;
  });
  const organization = await readOperatedOrganization(context, { organizationId });
  // deleted since it was put on record
  if (!organization || organization.deletedAt !== null) throw tenancyErrors.ORGANIZATION_UNKNOWN();
  return { organization, changed };
}

function clean({ tier: said, expiresAt, maxMembers, maxLinks }: GivenSubscription): GivenSubscription {
  const tier = said === null ? null : said.trim();
  if (tier === null && (expiresAt !== null || maxMembers !== null || maxLinks !== null)) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'tier', expected: 'a tier, or neither an end nor limits of its own' });
  }
  if (tier !== null && !isTier(tier)) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'tier', expected: '1 to 40 of letters, digits, - and _' });
  }
  for (const [field, limit, least] of [
    ['maxMembers', maxMembers, 1],
    ['maxLinks', maxLinks, 0],
  ] as const) {
    if (limit !== null && (limit < least || limit > MOST)) {
      throw kernelErrors.BAD_USER_INPUT({ field, expected: `${least} to ${MOST}, or none`, actual: limit });
    }
  }
  return { tier, expiresAt, maxMembers, maxLinks };
}
