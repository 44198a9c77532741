import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { organizationSettingsUpdated } from '../events.ts';
import { changeOrganization } from './changeOrganization.ts';

/**
 * Changes the settings of the viewer's organization; needs `organization:write`. Where a fresh proof is asked for, it
 * is asked for here as well: nobody without one can leave it off from now on.
 * @param input.read how the organization is read, in the packet that changes it
 * @throws STEP_UP_REQUIRED
 */
export async function updateOrganizationSettings<Organization>(
  context: Context,
  input: {
    readonly requireStepUp?: boolean | null | undefined;
    /** Where payers may be sent on to, all of them anew. */
    readonly redirectOrigins?: readonly string[] | null | undefined;
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization>;
  },
): Promise<Done<{ readonly organization: Organization }>> {
  const { idempotencyKey, read } = input;
  const insecure = context.environment.NODE_ENV !== 'production';
  const settings = {
    ...(input.requireStepUp != null && { requireStepUp: input.requireStepUp }),
    ...(input.redirectOrigins && { redirectOrigins: cleanOrigins(input.redirectOrigins, insecure) }),
  };
  const { requireStepUp = null, redirectOrigins = null } = settings;
  if (Object.keys(settings).length === 0) throw refuse('input', 'at least one setting');
  return changeOrganization(context, {
    operation: 'updateOrganizationSettings',
    idempotencyKey,
    variables: settings,
    save: (tx, { organizationId }) => tx.$executeRaw`
      /* updateOrganizationSettings */
      update organization_settings
      set require_step_up = coalesce(${requireStepUp}::boolean, require_step_up),
          redirect_origins = coalesce(${redirectOrigins}::text[], redirect_origins)
      where organization_id = ${organizationId}::uuid`,
    fact: (viewer) => organizationSettingsUpdated({ ...viewer, ...settings }),
    read,
  });
}

const MOST_ORIGINS = 50;
const ORIGIN = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/;

/** Origins as browsers say them; without TLS in development alone. */
function cleanOrigins(given: readonly string[], insecure: boolean): string[] {
  const origins = given.map((text) => {
    const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
    const sound =
      url && ORIGIN.test(url.origin) && url.origin === text.trim().toLowerCase() && url.origin.length <= 300;
    if (!sound || (url.protocol !== 'https:' && !insecure)) {
      throw refuse('redirectOrigins', 'origins such as https://shop.example.com, without a path');
    }
    return url.origin;
  });
  if (origins.length > MOST_ORIGINS) throw refuse('redirectOrigins', `at most ${MOST_ORIGINS}`);
  return [...new Set(origins)];
}

function refuse(field: string, expected: string): Error {
  return kernelErrors.BAD_USER_INPUT({ field, expected });
}
