import type { Context } from '../../context.ts';
import { findLogEnd } from '../../events/commands/findLogEnd.ts';
import type { EventPosition } from '../../events/model.ts';
import { follow, type Step } from '../../graphql/follow.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { isKey } from '../../kernel/viewer.ts';

/** How many changes are read at a time. */
const PAGE = 100;

/**
 * Follows the orders of the viewer's organization, or of one link, from now on: the id of each that something was told of.
 * Of several changes that are read at once it gives out the last.
 * @throws UNAUTHENTICATED, FORBIDDEN, TOO_MANY_STREAMS
 */
export function followOrders(
  context: Context,
  { paymentLinkId }: { readonly paymentLinkId: string | null },
): AsyncIterableIterator<string> {
  const { viewer, scope } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  return follow<EventPosition, string>(context, {
    topics: [
      `events:${organizationId}`,
      `organization:${organizationId}`,
      ...(isKey(viewer) ? [] : [`user:${viewer.userId}`]),
    ],
    after: null,
    most: PAGE,
    read: (after) => readChanges(context, after, paymentLinkId),
    findEnd: async () => (await findLogEnd(scope.db)).end,
  });
}

async function readChanges(
  { scope }: Context,
  after: EventPosition,
  paymentLinkId: string | null,
): Promise<Step<EventPosition, string>[]> {
  // the function refuses whoever may not read orders, and the orders are looked up under the viewer's own role
  const rows = await scope.db.$queryRaw<
    { orderId: string; epoch: number; transactionId: string; position: string; shown: boolean }[]
  >`
    /* readOrderChanges */
    select
      c.order_id as "orderId",
      c.epoch,
      c.transaction_id::text as "transactionId",
      c.log_position::text as position,
      exists (
        select from payment_orders o
        where o.organization_id = current_organization_id()
          and o.id = c.order_id
          and (${paymentLinkId}::uuid is null or o.payment_link_id = ${paymentLinkId}::uuid)
      ) as shown
    from payment_order_changes(
      ${after.epoch}::integer, ${String(after.transactionId)}::text::xid8, ${after.position}::bigint, ${PAGE}::integer
    ) c
    order by c.epoch, c.transaction_id, c.log_position`;
  return rows.map(({ orderId, epoch, transactionId, position, shown }, index) => ({
    place: { epoch, transactionId: BigInt(transactionId), position: BigInt(position) },
    item: shown && !rows.slice(index + 1).some((later) => later.orderId === orderId) ? orderId : null,
  }));
}
