import { bytesToHex } from 'viem';
import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { ChainBlockContent } from '../../ports.ts';
import type { Tip } from '../model.ts';
import { lockChain } from './lockChain.ts';
import type { RegisteredChain } from './registerChain.ts';

/**
 * Writes blocks that follow on the last one that was read, and the transfers in them to watched accounts, in one
 * transaction. Throws when another watcher was faster; nothing is written then.
 */
export async function appendBlocks(
  context: WorkerContext,
  input: {
    readonly chain: RegisteredChain;
    readonly after: Tip;
    readonly blocks: readonly ChainBlockContent[];
  },
): Promise<void> {
  const { chain, after, blocks } = input;
  const { incarnationId } = chain;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.transaction(async (tx) => {
    await lockChain(tx, chain.chainId, 'exclusive');
    const { count } = await tx.chainIncarnation.updateMany({
      where: { id: incarnationId, headNumber: after.number },
      data: { headNumber: after.number + BigInt(blocks.length) },
    });
    if (count !== 1) throw new Error(`Another watcher has moved chain ${chain.chainId} past block ${after.number}.`);
    await tx.chainBlock.createMany({
      data: blocks.map(({ block: { number, hash, parentHash } }) => ({ incarnationId, number, hash, parentHash })),
    });
    await recordTransfers(tx, chain, blocks);
  });
}

/** Transfers to accounts that nobody watches are left out; one that is mined again moves to its new block. */
async function recordTransfers(
  tx: Transaction,
  { incarnationId, chainId }: RegisteredChain,
  blocks: readonly ChainBlockContent[],
): Promise<void> {
  const transfers = blocks.flatMap(({ block, transfers: inside }) =>
    inside.map((transfer) => ({
      transaction_hash: transfer.transactionHash,
      ordinal: transfer.ordinal,
      token: transfer.token,
      sender: transfer.sender,
      recipient: transfer.recipient,
      units: transfer.units.toString(),
      input: bytesToHex(transfer.input).slice(2),
      block_number: block.number.toString(),
      block_hash: block.hash,
      block_seconds: block.timestamp.toString(),
    })),
  );
  if (transfers.length === 0) return;
  await tx.$executeRaw`
    /* recordTransfers */
    insert into chain_transfers (
      incarnation_id, transaction_hash, ordinal, asset_id, sender, recipient, units, input,
      block_number, block_hash, block_time
    )
    select
      ${incarnationId}::uuid, t.transaction_hash, t.ordinal, a.id, t.sender, t.recipient, t.units,
      decode(t.input, 'hex'), t.block_number, t.block_hash, to_timestamp(t.block_seconds)
    from jsonb_to_recordset(${JSON.stringify(transfers)}::jsonb) as t (
      transaction_hash text, ordinal int, token text, sender text, recipient text, units numeric, input text,
      block_number bigint, block_hash text, block_seconds bigint
    )
    join assets a on a.chain_id = ${chainId} and a.address is not distinct from t.token
    where exists (select from watched_accounts w where w.chain_id = ${chainId} and w.address = t.recipient)
    on conflict (incarnation_id, transaction_hash, ordinal) do update
    set block_number = excluded.block_number,
        block_hash = excluded.block_hash,
        block_time = excluded.block_time,
        orphaned = false,
        judged_at = null`;
}
