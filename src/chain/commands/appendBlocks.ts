import { bytesToHex } from 'viem';
import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { ChainBlockContent, ChainBlockData, ChainTransferData } from '../../ports.ts';
import { type Tip, timeOf } from '../model.ts';
import type { Watched } from './findWatched.ts';
import { lockChain } from './lockChain.ts';
import type { RegisteredChain } from './registerChain.ts';

/** About as many characters as one statement may carry; what a database takes at once has an end. */
const SLICE = 4_000_000;

/** About as many as one transfer takes, its calldata aside. */
const TRANSFER_SIZE = 600;

/**
 * Writes what is to be kept of the blocks that follow on the last one that was read: in one transaction the blocks that
 * are given, of which the last is the one that was read up to, and the transfers in them to watched accounts. Throws when
 * another watcher was faster; nothing is written then.
 * @param input.watched who was watched when transfers to others were left out; null when none were
 * @returns false, and writes nothing, when somebody else is watched by now
 */
export async function appendBlocks(
  context: WorkerContext,
  input: {
    readonly chain: RegisteredChain;
    readonly after: Tip;
    readonly blocks: readonly ChainBlockContent[];
    readonly watched: Watched | null;
  },
): Promise<boolean> {
  const { chain, after, blocks, watched } = input;
  const { incarnationId } = chain;
  const last = blocks.at(-1)?.block;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.transaction(async (tx) => {
    await lockChain(tx, chain.chainId, 'exclusive');
    if (watched !== null && !(await isAllWatched(tx, chain, watched))) return false;
    const { count } = await tx.chainIncarnation.updateMany({
      where: { id: incarnationId, headNumber: after.number },
      data: {
        headNumber: last?.number ?? after.number,
        ...(last && { readUntil: timeOf(last) }),
        failingSince: null,
        failure: null,
      },
    });
    if (count !== 1) throw new Error(`Another watcher has moved chain ${chain.chainId} past block ${after.number}.`);
    await tx.chainBlock.createMany({
      data: blocks.map(({ block: { number, hash, parentHash } }) => ({ incarnationId, number, hash, parentHash })),
    });
    const payees = await watchedAmong(tx, chain, blocks);
    for (const slice of slicesOf(blocks, payees)) await recordTransfers(tx, chain, slice);
    return true;
  });
}

/** Whether nobody has come to be watched. Those who always are are only added to: as many are the same ones. */
async function isAllWatched(
  tx: Transaction,
  { chainId }: RegisteredChain,
  { always, awaited }: Watched,
): Promise<boolean> {
  const [{ count, added }] = await tx.$queryRaw<[{ count: number; added: boolean }]>`
    /* countWatched */
    select
      count(distinct address) filter (where sender is null)::int as count,
      coalesce(bool_or(sender is not null and id <> all (${awaited}::uuid[])), false) as added
    from watched_accounts
    where chain_id = ${chainId} or chain_id is null`;
  return count === always && !added;
}

/** Whose transfers to an account are recorded; null: anybody's. */
type Senders = ReadonlySet<string> | null;

/** Which of the recipients are watched: whatever else a block is full of goes no further than here. */
async function watchedAmong(
  tx: Transaction,
  { chainId }: RegisteredChain,
  blocks: readonly ChainBlockContent[],
): Promise<ReadonlyMap<string, Senders>> {
  const recipients = new Set(blocks.flatMap(({ transfers }) => transfers.map(({ recipient }) => recipient)));
  if (recipients.size === 0) return new Map();
  const found = await tx.$queryRaw<{ address: string; senders: string[] | null }[]>`
    /* watchedAmong */
    select address, case when bool_and(sender is not null) then array_agg(sender) end as senders
    from watched_accounts
    where (chain_id = ${chainId} or chain_id is null) and address = any (${[...recipients]}::text[])
    group by address`;
  return new Map(found.map(({ address, senders }) => [address, senders && new Set(senders)]));
}

function isWatched(watched: ReadonlyMap<string, Senders>, { recipient, sender }: ChainTransferData): boolean {
  const senders = watched.get(recipient);
  return senders === null || senders?.has(sender) === true;
}

interface Recordable {
  readonly block: ChainBlockData;
  readonly transfer: ChainTransferData;
}

/** The transfers to watched accounts in portions; the calldata of one transaction counts once in each. */
function* slicesOf(
  blocks: readonly ChainBlockContent[],
  watched: ReadonlyMap<string, Senders>,
): Generator<Recordable[]> {
  let slice: Recordable[] = [];
  let size = 0;
  let previous: string | null = null;
  for (const { block, transfers } of blocks) {
    for (const transfer of transfers) {
      if (!isWatched(watched, transfer)) continue;
      if (size >= SLICE) {
        yield slice;
        slice = [];
        size = 0;
        previous = null;
      }
      slice.push({ block, transfer });
      size += TRANSFER_SIZE + (transfer.transactionHash === previous ? 0 : 2 * transfer.input.length);
      previous = transfer.transactionHash;
    }
  }
  if (slice.length > 0) yield slice;
}

/** A transfer that is mined again moves to its new block, where it need not be what it was in the old one. */
async function recordTransfers(
  tx: Transaction,
  { incarnationId, chainId }: RegisteredChain,
  slice: readonly Recordable[],
): Promise<void> {
  const calldata = new Map(slice.map(({ transfer }) => [transfer.transactionHash, transfer.input]));
  const inputs = [...calldata].map(([transaction_hash, input]) => ({
    transaction_hash,
    input: bytesToHex(input).slice(2),
  }));
  const transfers = slice.map(({ block, transfer }) => ({
    transaction_hash: transfer.transactionHash,
    ordinal: transfer.ordinal,
    token: transfer.token,
    sender: transfer.sender,
    recipient: transfer.recipient,
    units: transfer.units.toString(),
    sent_units: transfer.sentUnits?.toString() ?? null,
    block_number: block.number.toString(),
    block_hash: block.hash,
    block_seconds: block.timestamp.toString(),
  }));
  await tx.$executeRaw`
    /* recordTransfers */
    insert into chain_transfers (
      incarnation_id, transaction_hash, ordinal, asset_id, sender, recipient, units, sent_units, input,
      block_number, block_hash, block_time, created_at
    )
    select
      ${incarnationId}::uuid, t.transaction_hash, t.ordinal, a.id, t.sender, t.recipient, t.units, t.sent_units,
      decode(i.input, 'hex'), t.block_number, t.block_hash, to_timestamp(t.block_seconds),
      -- under the chain's lock: whoever needs to know what came before a moment of its own takes that under it, too
      clock_timestamp()
    from jsonb_to_recordset(${JSON.stringify(transfers)}::jsonb) as t (
      transaction_hash text, ordinal int, token text, sender text, recipient text, units numeric,
      sent_units numeric, block_number bigint, block_hash text, block_seconds bigint
    )
    join jsonb_to_recordset(${JSON.stringify(inputs)}::jsonb) as i (transaction_hash text, input text)
      on i.transaction_hash = t.transaction_hash
    join assets a on a.chain_id = ${chainId} and a.address is not distinct from t.token
    on conflict (incarnation_id, transaction_hash, ordinal) do update
    set asset_id = excluded.asset_id,
        sender = excluded.sender,
        recipient = excluded.recipient,
        units = excluded.units,
        sent_units = excluded.sent_units,
        input = excluded.input,
        block_number = excluded.block_number,
        block_hash = excluded.block_hash,
        block_time = excluded.block_time,
        orphaned = false,
        judged_at = null`;
}
