import { bytesToHex } from 'viem';
import type { Context } from '../../context.ts';
import type { Scope } from '../../database/scope.ts';
import { metadataOf } from '../../events/model.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentErrors } from '../errors.ts';
import { type ClaimableTransfer, claimMessage } from '../model/claims.ts';
import { factOf } from '../model/refusals.ts';

/** Which transaction is claimed, for which order, and by whom. */
export interface ClaimInput {
  /** The payer's handle of the order; null where a member names it. */
  readonly token: string | null;
  /** Null where a payer names it, and where what was given names none. */
  readonly orderId: string | null;
  readonly transactionHash: string;
  /** The sender's of the claim's text; a member needs none. */
  readonly signature: string | null;
  readonly idempotencyKey: GivenKey | null;
}

interface Claimed {
  readonly organizationId: string;
  readonly orderId: string;
  readonly chainId: number;
  readonly reference: Uint8Array;
  /** Whether a member may decide this without the sender. */
  readonly permitted: boolean;
  readonly transfers: readonly ClaimableTransfer[];
}

/**
 * Has the transfers of a transaction credited to an order that nobody could know they were for: those of whoever has
 * signed the claim, or all of them for a member who may write payments. The watcher has read the transaction and
 * the worker has judged what is in it, so that nothing which names another order is claimed; it credits what is claimed next. What was claimed for the same order before stays so.
 * @throws ORDER_NOT_FOUND, ORDER_TAKES_NOTHING, TRANSFER_NOT_SEEN, TRANSFER_TOO_OLD, TRANSFER_LATE, TRANSFER_TAKEN,
 *   CLAIM_NOT_SIGNED, PAYEE_NOT_PROVED where a member claims for a payee who has left, and what checking a signature throws
 */
export async function claimPayment(context: Context, input: ClaimInput): Promise<Done<{ readonly orderId: string }>> {
  const { token, signature, idempotencyKey } = input;
  const transactionHash = input.transactionHash.toLowerCase();
  const { viewer } = context;
  if (token === null && !viewer) throw kernelErrors.UNAUTHENTICATED();
  const scope = token === null ? context.scope : context.handleScope('payment-order', token);
  const claimed = await findClaimed(scope, { orderId: input.orderId, transactionHash });
  const { organizationId, orderId } = claimed;
  const isMember = token === null;
  if (isMember && !claimed.permitted) throw kernelErrors.FORBIDDEN({ permission: 'payments:write' });
  // nobody knows yet what it is for: it may name another order, or be a refund that somebody waits for
  if (claimed.transfers.some(({ verdict }) => verdict === 'UNJUDGED')) notSeen(transactionHash);
  const free = claimed.transfers.filter(({ verdict }) => verdict === 'FREE');
  const isDone = free.length === 0 && claimed.transfers.some(({ verdict }) => verdict === 'CLAIMED');
  if (free.length === 0 && !isDone) refuse(claimed, transactionHash);
  const isWhole = isDone || (isMember && signature === null);
  const sender = isWhole ? null : await senderOf(context, claimed, free, { ...input, transactionHash });
  const told = JSON.stringify(metadataOf(context));
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      // what a payer came with stands for the order
      principal: isMember && viewer ? actorOf(viewer) : `link:${orderId}`,
      operation: 'claimPayment',
      variables: { orderId, transactionHash },
      resultId: orderId,
      isMoney: true,
    },
    (record) =>
      scope.transaction(async (tx) => {
        // the database asks a member for it with each claim, and nobody is answered again without it
        if (isMember && (idempotencyKey || isDone)) await requireOrganizationStepUp(tx);
        for (const deed of record(tx)) await deed;
        if (isDone) return { orderId };
        const [{ outcome }] = await tx.$queryRaw<[{ outcome: string | null }]>`
          /* claimPayment */
          select claim_transfers(${orderId}::uuid, ${transactionHash}, ${sender}, ${told}::jsonb) as outcome`;
        if (outcome === null) throw paymentErrors.ORDER_NOT_FOUND();
        if (outcome === 'PAYEE') throw paymentErrors.PAYEE_NOT_PROVED();
        if (outcome === 'NOTHING') throw paymentErrors.TRANSFER_TAKEN({ transactionHash });
        if (outcome !== 'DONE') throw paymentErrors.ORDER_TAKES_NOTHING(factOf('ORDER_TAKES_NOTHING', outcome));
        return { orderId };
      }),
    async (known) => ({ orderId: known }),
  );
}

/** The order that whoever asks may claim for, and what the transaction has for it. */
async function findClaimed(
  { db }: Scope,
  { orderId, transactionHash }: { readonly orderId: string | null; readonly transactionHash: string },
): Promise<Claimed> {
  const rows = await db.$queryRaw<(Omit<Claimed, 'transfers'> & Partial<ClaimableTransfer>)[]>`
    /* findClaimed */
    select
      o.organization_id as "organizationId", o.id as "orderId", a.chain_id::int as "chainId", o.reference,
      has_permission('payments:write') as permitted, t.sender, t.verdict
    from payment_orders o
    join assets a on a.id = o.asset_id
    left join lateral claimable_transfers(o.id, ${transactionHash}) t on true
    where o.organization_id = current_organization_id()
      and o.id = coalesce(current_target_id(), ${orderId}::uuid)`;
  const [order] = rows;
  if (!order) throw paymentErrors.ORDER_NOT_FOUND();
  const transfers = rows.flatMap(({ sender, verdict }) => (sender && verdict ? [{ sender, verdict }] : []));
  return { ...order, transfers };
}

function refuse({ transfers }: Claimed, transactionHash: string): never {
  switch (transfers[0]?.verdict) {
    case undefined:
      return notSeen(transactionHash);
    case 'OLD':
      throw paymentErrors.TRANSFER_TOO_OLD({ transactionHash });
    case 'LATE':
      throw paymentErrors.TRANSFER_LATE({ transactionHash });
    default:
      throw paymentErrors.TRANSFER_TAKEN({ transactionHash });
  }
}

function notSeen(transactionHash: string): never {
  throw paymentErrors.TRANSFER_NOT_SEEN({ transactionHash }, { retryAfter: 5 });
}

/** Who of the senders has signed the claim; a transaction may carry the transfers of several. */
async function senderOf(
  { publicUrl, walletVerifier }: Context,
  { chainId, reference }: Claimed,
  free: readonly ClaimableTransfer[],
  { transactionHash, signature }: ClaimInput,
): Promise<string> {
  if (signature !== null) {
    const message = claimMessage({ publicUrl, reference: bytesToHex(reference), transactionHash, chainId });
    for (const address of new Set(free.map(({ sender }) => sender))) {
      if (await walletVerifier.verify({ address, chainId, message, signature })) return address;
    }
  }
  throw paymentErrors.CLAIM_NOT_SIGNED({ senders: [...new Set(free.map(({ sender }) => sender))] });
}
