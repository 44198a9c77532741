import { bytesToHex } from 'viem';
import type { Context } from '../../context.ts';
import type { Scope } from '../../database/scope.ts';
import { showUnits } from '../../kernel/money.ts';
import { paymentErrors } from '../errors.ts';
import { refundMessage } from '../model/refunds.ts';

/** Where a refund is to go, as the payer says it. */
export interface ConfirmRefundInput {
  /** The payer's handle of the order. */
  readonly token: string;
  /** Null where what was given names no refund. */
  readonly refundId: string | null;
  readonly destination: string;
  /** The wallet that has signed. */
  readonly signer: string;
  /** Of the refund's text. */
  readonly signature: string;
}

/**
 * Says where a refund of the payer's order goes, by the signature of the account whose transfers alone were credited to
 * it. It is said once and for good, so it needs no key; saying the same again is no mistake.
 * @throws REFUND_NOT_FOUND, REFUND_CLOSED, REFUND_SIGNER_REFUSED, DESTINATION_REFUSED, and what checking a signature
 *   throws
 */
export async function confirmRefundDestination(
  context: Context,
  input: ConfirmRefundInput,
): Promise<{ readonly token: string; readonly refundId: string }> {
  const { token, destination, signer, signature } = input;
  const scope = context.handleScope('payment-order', token);
  const refund = await findRefund(scope, input.refundId);
  const { id: refundId, chainId } = refund;
  // before anybody's node is asked about an account that has nothing to say here
  if (refund.senders.join() !== signer) throw paymentErrors.REFUND_SIGNER_REFUSED({ signer });
  const message = refundMessage({ ...refund, publicUrl: context.publicUrl, refundId, destination });
  const verified = await context.walletVerifier.verify({ address: signer, chainId, message, signature });
  if (!verified) throw paymentErrors.REFUND_SIGNER_REFUSED({ signer });
  if (refund.destination === destination) return { token, refundId };
  // the signature was checked before: nothing of the outside world is asked while a transaction is open
  const [[answer]] = await scope.write((tx) => [
    tx.$queryRaw<{ refusal: string | null }[]>`
      /* confirmRefundDestination */
      select confirm_refund_destination(${refundId}::uuid, ${destination}, ${signer}) as refusal`,
  ]);
  const [code, status = ''] = answer?.refusal?.split(' ') ?? [];
  switch (code) {
    case undefined:
      return { token, refundId };
    case 'REFUND_CLOSED':
      throw paymentErrors.REFUND_CLOSED({ status });
    case 'REFUND_SIGNER_REFUSED':
      throw paymentErrors.REFUND_SIGNER_REFUSED({ signer });
    case 'DESTINATION_REFUSED':
      throw paymentErrors.DESTINATION_REFUSED({ destination });
    default:
      throw paymentErrors.REFUND_NOT_FOUND();
  }
}

interface FoundRefund {
  readonly id: string;
  readonly destination: string | null;
  readonly amount: string;
  readonly asset: string;
  readonly chainId: number;
  readonly reference: string;
  /** The accounts whose transfers are credited to the order. */
  readonly senders: readonly string[];
}

async function findRefund({ db }: Scope, id: string | null): Promise<FoundRefund> {
  const found =
    id === null
      ? null
      : await db.paymentRefund.findFirst({
          where: { id },
          select: {
            units: true,
            destination: true,
            asset: { select: { caip19: true, decimals: true, chainId: true } },
            paymentOrder: {
              select: {
                reference: true,
                credits: {
                  where: { reversedAt: null },
                  select: { blockchainTransaction: { select: { sender: true } } },
                },
              },
            },
          },
        });
  if (!found?.paymentOrder || id === null) throw paymentErrors.REFUND_NOT_FOUND();
  const { units, destination, asset, paymentOrder } = found;
  return {
    id,
    destination,
    amount: showUnits(units, asset),
    asset: asset.caip19,
    chainId: Number(asset.chainId),
    reference: bytesToHex(paymentOrder.reference),
    senders: [...new Set(paymentOrder.credits.map(({ blockchainTransaction }) => blockchainTransaction.sender))],
  };
}
