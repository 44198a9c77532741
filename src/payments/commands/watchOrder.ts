import type { Context } from '../../context.ts';
import { watch } from '../../graphql/streams.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { isKey } from '../../kernel/viewer.ts';

/** The version of an order that is not there, or not for whoever asks. */
const NONE = 'none';

/**
 * Watches one order of the viewer's organization: says something at once, and again whenever it has changed; over when
 * there is none that the viewer may see.
 * @throws UNAUTHENTICATED, TOO_MANY_STREAMS
 */
export function watchOrder(context: Context, { orderId }: { readonly orderId: string }): AsyncIterableIterator<string> {
  const { viewer } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  return watch(context, {
    topics: [
      `payment-order:${organizationId}:${orderId}`,
      `organization:${organizationId}`,
      ...(isKey(viewer) ? [] : [`user:${viewer.userId}`]),
    ],
    version: () => readVersion(context, orderId),
    isLast: (version) => version === NONE,
  });
}

/** What tells one state of an order from another, with the transfers that are credited to it, as the viewer sees them. */
async function readVersion({ scope }: Context, orderId: string): Promise<string> {
  const [row] = await scope.db.$queryRaw<{ version: string }[]>`
    /* readOrderVersion */
    select md5(jsonb_build_array(o, (
      select jsonb_agg(jsonb_build_array(c, t) order by c.id)
      from payment_credits c
      join blockchain_transactions t on t.organization_id = c.organization_id and t.id = c.blockchain_transaction_id
      where c.organization_id = o.organization_id and c.payment_order_id = o.id
    ))::text) as version
    from payment_orders o
    where o.organization_id = current_organization_id() and o.id = ${orderId}::uuid`;
  return row?.version ?? NONE;
}
