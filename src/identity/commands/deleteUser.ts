import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { requireFreshProof } from './requireFreshProof.ts';

/** Why somebody cannot go, with what stands in the way. */
const REFUSALS = {
  LAST_OWNER: (organizations: readonly string[]) => identityErrors.LAST_OWNER({ organizations }),
  WALLET_IN_USE: ([address = '']: readonly string[]) => identityErrors.WALLET_IN_USE({ address }),
  ORGANIZATION_HAS_OPEN_MONEY: (organizations: readonly string[]) =>
    identityErrors.ORGANIZATION_HAS_OPEN_MONEY({ organizations }),
} as const;

interface Refusal {
  readonly refusal: keyof typeof REFUSALS;
  readonly named: readonly string[];
}

/**
 * Deletes the signed-in user: what proved them proves nobody, and nothing of them is left but an id. Organizations that
 * nobody else belongs to go with them. It takes no idempotency key: afterwards nobody is there to ask again.
 * @param input.userId the viewer's own id, so that it is meant; null when what was given names no user
 * @throws STEP_UP_REQUIRED, LAST_OWNER, WALLET_IN_USE, ORGANIZATION_HAS_OPEN_MONEY
 */
export async function deleteUser(
  context: Context,
  input: { readonly userId: string | null },
): Promise<{ readonly userId: string }> {
  const { scope, cookies } = context;
  const { userId } = await requireFreshProof(context, scope.db);
  if (input.userId !== userId) {
    throw kernelErrors.BAD_USER_INPUT({ argument: 'userId', expected: 'the id of the signed-in user' });
  }
  const [[refused]] = await scope.write((tx) => [
    tx.$queryRaw<Refusal[]>`
      /* deleteUser */
      select refusal, named from delete_user(${JSON.stringify(metadataOf(context))}::jsonb)`,
  ]);
  if (refused) throw REFUSALS[refused.refusal](refused.named);
  context.become(null);
  if (cookies.present) cookies.clear();
  return { userId };
}
