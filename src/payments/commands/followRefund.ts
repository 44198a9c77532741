import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { assessOrder } from './assessOrder.ts';
import { settleRefund } from './settleRefund.ts';

/**
 * Brings a refund to where the chain has it. One that waits again is called off if the chain has taken away what it is of
 * as well; and its order needs nobody any more who looks at what went back.
 */
export async function followRefund(
  context: WorkerContext,
  tx: Transaction,
  { organizationId, refundId }: { readonly organizationId: string; readonly refundId: string },
): Promise<void> {
  const waitsAgain = await settleRefund(tx, { refundId });
  if (!waitsAgain) return;
  const { paymentOrderId, unmatchedPaymentId } = await tx.paymentRefund.findFirstOrThrow({
    where: { organizationId, id: refundId },
    select: { paymentOrderId: true, unmatchedPaymentId: true },
  });
  if (paymentOrderId !== null) await assessOrder(context, tx, { organizationId, orderId: paymentOrderId });
  else await tx.$queryRaw`/* withdrawUnmatchedRefund */ select withdraw_refunds(${unmatchedPaymentId}::uuid)::text`;
}
