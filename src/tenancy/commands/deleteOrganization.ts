import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import { requireFreshProof } from '../../identity/commands/requireFreshProof.ts';
import { identityErrors } from '../../identity/errors.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { restorableUntil } from '../model.ts';

interface Deletion {
  readonly refusal: 'SLUG' | 'OPEN_MONEY' | null;
  readonly name: string;
  readonly gone: Date | null;
}

/**
 * Deletes the viewer's organization, for an owner: nobody sees it from then on, and sessions that work in it end. An
 * owner restores it as long as it is not purged. It takes no idempotency key: afterwards nobody works there to ask again.
 * @param input.slug the organization's own, so that it is meant
 * @throws STEP_UP_REQUIRED, SESSION_BOUND, FORBIDDEN to whoever does not own it, ORGANIZATION_HAS_OPEN_MONEY
 */
export async function deleteOrganization(
  context: Context,
  { slug }: { readonly slug: string },
): Promise<{ readonly organizationId: string; readonly restorableUntil: Date }> {
  const { scope, cookies, environment } = context;
  const { organizationId } = await requireFreshProof(context, scope.db);
  const [[answer]] = await scope.write((tx) => [
    tx.$queryRaw<Deletion[]>`
      /* deleteOrganization */
      select refusal, name, gone from delete_organization(${slug}, ${JSON.stringify(metadataOf(context))}::jsonb)`,
  ]);
  if (answer?.refusal === 'OPEN_MONEY') {
    throw identityErrors.ORGANIZATION_HAS_OPEN_MONEY({ organizations: [answer.name] });
  }
  if (!answer?.gone) throw kernelErrors.BAD_USER_INPUT({ field: 'slug', expected: 'the slug of the organization' });
  context.become(null);
  if (cookies.present) cookies.clear();
  return { organizationId, restorableUntil: restorableUntil(answer.gone, environment.ORGANIZATION_RETENTION_DAYS) };
}
