import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';
import { matchOrder, paymentOf } from '../model/matching.ts';
import { findFittingOrders } from './findFittingOrders.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

/** As many entries as are looked at in one round: it takes no longer however many there are. */
const PAGE = 50;

/** The entry that was looked at last, for each chain that is watched; the first one again when there is none. */
const places = new WeakMap<RegisteredChain, string>();

/**
 * Has what was ambiguous judged again once one open order alone would take it: the others that it fitted, or may have
 * been meant for, are paid, called off or over. It looks at some of the inboxes in each round and at all of them in turn,
 * so that nothing depends on when an order ended.
 */
export async function reviewAmbiguous(context: WorkerContext, chain: RegisteredChain): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const page = await scope.db.$queryRaw<{ entryId: string; transferId: string | null }[]>`
    /* ambiguousTransfers */
    select entry_id as "entryId", transfer_id as "transferId"
    from ambiguous_transfers(${chain.incarnationId}::uuid, ${places.get(chain) ?? null}::uuid, ${PAGE}::integer)`;
  const last = page.at(-1);
  if (last && page.length === PAGE) places.set(chain, last.entryId);
  else places.delete(chain);
  const ids = page.flatMap(({ transferId }) => transferId ?? []);
  if (ids.length === 0) return;
  const clear: string[] = [];
  for (const transfer of await readTransfers(context, ids)) {
    const match = matchOrder(paymentOf(transfer), await findFittingOrders(context, transfer));
    if (match.kind === 'credit') clear.push(transfer.id);
  }
  if (clear.length === 0) return;
  await scope.write((tx) => [
    tx.$executeRaw`
      /* reopenAmbiguous */
      update chain_transfers
      set judged_at = null
      where id = any (${clear}::uuid[]) and claimed_for_id is null and judged_at is not null and not orphaned`,
  ]);
}

async function readTransfers(context: WorkerContext, ids: readonly string[]): Promise<UnjudgedTransfer[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<UnjudgedTransfer[]>`
    /* readAmbiguous */
    select
      t.id, t.incarnation_id as "incarnationId", t.transaction_hash as "transactionHash", t.ordinal,
      t.asset_id as "assetId", t.sender, t.recipient, t.units::text as units,
      (case when a.credits_balance_difference then t.sent_units else t.units end)::text as "sentUnits", t.input,
      t.block_number as "blockNumber", t.block_hash as "blockHash", t.block_time as "blockTime", t.orphaned,
      t.claimed_organization_id as "claimedOrganizationId", t.claimed_for_id as "claimedForId"
    from chain_transfers t
    join assets a on a.id = t.asset_id
    where t.id = any (${ids}::uuid[])`;
}
