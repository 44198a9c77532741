import { hexToBigInt, numberToHex } from 'viem';
import type { ChainBlockContent, ChainRange } from '../../ports.ts';
import {
  dataOf,
  type RpcBlock,
  type RpcLog,
  type RpcReceipt,
  type RpcTransaction,
  TRANSFER_TOPIC,
  transferOf,
  transfersOf,
} from './blockContent.ts';
import { bloomTest } from './bloom.ts';
import type { Call, Rpc } from './rpc.ts';

/** A block with its transactions, or with their hashes alone. */
type AnyBlock = RpcBlock<RpcTransaction | string>;

/**
 * Reads blocks that are final in a few requests: each of them by number, for their hashes must lead from one to the next;
 * the logs of all of them at once; and of the transactions that pay a watched account the receipts, since only those
 * tell a log's place. A block of whose logs nothing was answered though its bloom does not rule them out is read whole,
 * and so are the first and the last of which there are some, where a node cuts that answers no more than so many, and one
 * whose bloom speaks of an account that nothing was answered for. Each node is asked for the logs, and those that answer
 * have to say the same.
 * @param readWhole the block of that number as if it were read alone
 */
export async function readRange(
  rpc: Rpc,
  wanted: ChainRange,
  readWhole: (number: bigint) => Promise<ChainBlockContent | null>,
): Promise<ChainBlockContent[] | null> {
  const { after, last, tokens, native, accounts } = wanted;
  const numbers = Array.from({ length: Number(last - after.number) }, (_, index) => after.number + 1n + BigInt(index));
  const [answers, logs] = await Promise.all([
    rpc.requestAll(numbers.map((number) => blockCall(number, native))) as Promise<(AnyBlock | null)[]>,
    tokens.size === 0 ? [] : readLogs(rpc, wanted),
  ]);
  if (!logs) return null;
  const blocks = answers.filter((block) => block !== null);
  if (blocks.length < answers.length || !leadsOn(after.hash, blocks)) return null;
  const hashes = new Set(blocks.map(({ hash }) => hash));
  if (logs.some(({ blockHash }) => !hashes.has(blockHash))) return null;

  const paidIn = paidAccounts(logs, wanted);
  const paying = payingTransactions(blocks, logs, wanted);
  const found = await readTransactions(rpc, [...new Set([...paying.values()].flat())], native, blocks);
  const logged = new Set(logs.map(({ blockHash }) => blockHash));
  const inOrder = blocks.filter(({ hash }) => logged.has(hash));
  const ends = [inOrder[0], inOrder.at(-1)];
  const blooms = bloomTest(tokens, accounts);
  const contents: ChainBlockContent[] = [];
  for (const block of blocks) {
    const whole = logged.has(block.hash)
      ? ends.includes(block) || blooms.mayPayAnother(block.logsBloom, paidIn.get(block.hash) ?? NOBODY)
      : blooms.mayHoldTransfer(block.logsBloom);
    const content = whole
      ? await readWhole(hexToBigInt(block.number))
      : contentFrom(block, paying.get(block.hash) ?? [], found, wanted);
    if (content?.block.hash !== block.hash) return null;
    const transfers = content.transfers.filter(({ recipient }) => accounts.has(recipient));
    if (transfers.length > 0 || block === blocks.at(-1)) contents.push({ ...content, transfers });
  }
  return contents;
}

function blockCall(number: bigint, full: boolean): Call {
  return { method: 'eth_getBlockByNumber', params: [numberToHex(number), full] };
}

function logsCall(first: bigint, last: bigint, tokens: ReadonlySet<string>): Call {
  const range = { fromBlock: numberToHex(first), toBlock: numberToHex(last) };
  return { method: 'eth_getLogs', params: [{ ...range, address: [...tokens], topics: [TRANSFER_TOPIC] }] };
}

/** The logs, as the first node says that answers; null where another says otherwise of what is wanted of them. */
async function readLogs(rpc: Rpc, wanted: ChainRange): Promise<readonly RpcLog[] | null> {
  const call = logsCall(wanted.after.number + 1n, wanted.last, wanted.tokens);
  const [first = [], ...others] = (await rpc.requestEach([call])).map(([logs]) => logs as readonly RpcLog[]);
  const found = paymentsAmong(first, wanted);
  return others.every((logs) => paymentsAmong(logs, wanted) === found) ? first : null;
}

/** Which logs pay watched accounts, and where, as one text. */
function paymentsAmong(logs: readonly RpcLog[], { tokens, accounts }: ChainRange): string {
  return logs
    .flatMap((log) => {
      const transfer = transferOf(log, tokens);
      return transfer && accounts.has(transfer.recipient)
        ? [[log.blockHash, log.transactionHash, ...Object.values(transfer)].join()]
        : [];
    })
    .sort()
    .join(' ');
}

const NOBODY: ReadonlySet<string> = new Set();

/** Whom the logs of each block pay, by the block's hash. */
function paidAccounts(logs: readonly RpcLog[], { tokens }: ChainRange): ReadonlyMap<string, ReadonlySet<string>> {
  const paid = new Map<string, Set<string>>();
  for (const log of logs) {
    const recipient = transferOf(log, tokens)?.recipient;
    if (recipient) paid.set(log.blockHash, (paid.get(log.blockHash) ?? new Set()).add(recipient));
  }
  return paid;
}

function leadsOn(from: string, blocks: readonly AnyBlock[]): boolean {
  return blocks.every(({ parentHash }, index) => parentHash === (index === 0 ? from : blocks[index - 1]?.hash));
}

/** The hashes of each block's transactions that may pay a watched account, by the block's hash, each once. */
function payingTransactions(
  blocks: readonly AnyBlock[],
  logs: readonly RpcLog[],
  { tokens, accounts }: ChainRange,
): ReadonlyMap<string, readonly string[]> {
  const byLog = new Set(
    logs.filter((log) => accounts.has(transferOf(log, tokens)?.recipient ?? '')).map((log) => log.transactionHash),
  );
  return new Map(
    blocks.map(({ hash, transactions }) => [
      hash,
      transactions.flatMap((transaction) => {
        if (typeof transaction === 'string') return byLog.has(transaction) ? [transaction] : [];
        const isPaid = accounts.has(transaction.to?.toLowerCase() ?? '') && BigInt(transaction.value) > 0n;
        return isPaid || byLog.has(transaction.hash) ? [transaction.hash] : [];
      }),
    ]),
  );
}

interface Found {
  readonly transactions: ReadonlyMap<string, RpcTransaction>;
  readonly receipts: ReadonlyMap<string, RpcReceipt>;
}

async function readTransactions(
  rpc: Rpc,
  hashes: readonly string[],
  native: boolean,
  blocks: readonly AnyBlock[],
): Promise<Found> {
  const ask = async <Answer>(method: string): Promise<(Answer | null)[]> =>
    hashes.length === 0
      ? []
      : ((await rpc.requestAll(hashes.map((hash) => ({ method, params: [hash] })))) as (Answer | null)[]);
  const known = blocks.flatMap(({ transactions }) => transactions.filter((one) => typeof one !== 'string'));
  const [receipts, transactions] = await Promise.all([
    ask<RpcReceipt>('eth_getTransactionReceipt'),
    native ? known : ask<RpcTransaction>('eth_getTransactionByHash'),
  ]);
  return {
    receipts: new Map(receipts.flatMap((receipt) => (receipt ? [[receipt.transactionHash, receipt]] : []))),
    transactions: new Map(transactions.flatMap((one) => (one ? [[one.hash, one]] : []))),
  };
}

/** The block with the transfers of these of its transactions; null when the node lacks one, or has it elsewhere. */
function contentFrom(
  block: AnyBlock,
  paying: readonly string[],
  { transactions, receipts }: Found,
  { tokens }: ChainRange,
): ChainBlockContent | null {
  const transfers = [];
  for (const hash of paying) {
    const [transaction, receipt] = [transactions.get(hash), receipts.get(hash)];
    if (!transaction || receipt?.blockHash !== block.hash) return null;
    transfers.push(...transfersOf(transaction, receipt, tokens));
  }
  return { block: dataOf(block), transfers };
}
