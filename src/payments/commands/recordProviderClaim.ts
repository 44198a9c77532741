import type { WorkerContext } from '../../context.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { PaymentProvider } from '../../ports.ts';
import { paymentErrors } from '../errors.ts';

/** What a provider says has come. */
export interface ProviderClaim {
  readonly provider: PaymentProvider;
  readonly organizationId: string;
  readonly orderId: string;
  /** What it is found by at the provider; what was written under it once is not written again. */
  readonly reference: string;
  /** In the smallest units of what the order is paid in: nothing is converted. */
  readonly units: bigint;
  /** Of a provider that stands on the chain, and of no other: the transaction that it says it is. */
  readonly transactionHash?: string;
  /** What it said, without secrets. */
  readonly raw?: JsonObject;
}

/**
 * Writes down what a provider says has come for an order: a claim. The chain confirms one that names its transaction, when
 * that is credited or at once if it is; the worker confirms any other with its next round, if the order still takes it.
 * @throws ORDER_NOT_FOUND
 */
export async function recordProviderClaim(
  { database, requestId }: Pick<WorkerContext, 'database' | 'requestId'>,
  claim: ProviderClaim,
): Promise<void> {
  const { provider, organizationId, orderId, reference, units, transactionHash = null, raw = {} } = claim;
  if ((provider.standsOn === 'CHAIN') !== (transactionHash !== null)) {
    throw new Error(`A claim of ${provider.name} names its transaction if it stands on the chain, and none if not.`);
  }
  const scope = database.as({ kind: 'worker', requestId, organizationId });
  const [[answer]] = await scope.write((tx) => [
    tx.$queryRaw<{ refusal: string | null }[]>`
      /* recordProviderClaim */
      select record_provider_claim(
        ${provider.name}, ${reference}, ${orderId}::uuid, ${units.toString()}::numeric,
        ${transactionHash?.toLowerCase() ?? null}, ${JSON.stringify(raw)}::jsonb
      ) as refusal`,
  ]);
  if (answer?.refusal === 'ORDER_NOT_FOUND') throw paymentErrors.ORDER_NOT_FOUND();
  if (answer?.refusal != null) throw new Error(`A claim of ${provider.name} is not to be recorded like this.`);
}
