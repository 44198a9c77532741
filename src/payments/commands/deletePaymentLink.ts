import type { Context } from '../../context.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentErrors } from '../errors.ts';
import { paymentLinkDeleted } from '../events.ts';
import { explainLink } from './explainLink.ts';
import { tellOfLink } from './tellOfLink.ts';

/**
 * Deletes a link that nobody is about to pay. Its orders stay, and its slug is given to nobody else.
 * @throws PAYMENT_LINK_NOT_FOUND, LINK_HAS_OPEN_ORDERS
 */
export async function deletePaymentLink(
  context: Context,
  input: {
    /** The link's own id. */
    readonly id: string;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly id: string }>> {
  const { viewer, scope } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  const actor = actorOf(viewer);
  const { id, idempotencyKey } = input;
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: actor,
      operation: 'deletePaymentLink',
      variables: { id },
      resultId: id,
      isMoney: true,
    },
    async (record) => {
      await scope
        .transaction(async (tx) => {
          await requireOrganizationStepUp(tx);
          for (const each of record(tx)) await each;
          const [{ refusal }] = await tx.$queryRaw<[{ refusal: string | null }]>`
            /* deletePaymentLink */
            select delete_payment_link(${id}::uuid) as refusal`;
          if (refusal === 'GONE') throw paymentErrors.PAYMENT_LINK_NOT_FOUND();
          if (refusal !== null) throw paymentErrors.LINK_HAS_OPEN_ORDERS();
          await tellOfLink(context, tx, paymentLinkDeleted({ organizationId, paymentLinkId: id, actor }));
        })
        .catch((error: unknown) => explainLink(context, [], error));
      return { id };
    },
    async (known) => ({ id: known }),
  );
}
