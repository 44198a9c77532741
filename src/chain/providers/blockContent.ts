import { type Hex, hexToBigInt, hexToBytes } from 'viem';
import type { ChainBlockContent, ChainBlockData, ChainTransferData } from '../../ports.ts';

/** `Transfer(address,address,uint256)`, as ERC-20 tokens log it. */
export const TRANSFER_TOPIC = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

/** A transaction as a node answers with it, as far as it is read here (execution-apis). */
export interface RpcTransaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly value: Hex;
  readonly input: Hex;
}

/** A block as a node answers with it. */
export interface RpcBlock<Transaction = RpcTransaction> {
  readonly number: Hex;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: Hex;
  readonly logsBloom: Hex;
  readonly transactions: readonly Transaction[];
}

/** A log as a node answers with it, alone or in a receipt. */
export interface RpcLog {
  readonly address: string;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockHash: string;
  readonly blockNumber: Hex;
  readonly transactionHash: string;
}

/** A receipt as a node answers with it. */
export interface RpcReceipt {
  readonly transactionHash: string;
  readonly blockHash: string;
  readonly status: Hex;
  readonly logs: readonly RpcLog[];
}

/** The block with the transfers that its transactions and their receipts tell of. */
export function contentOf(
  block: RpcBlock,
  receipts: readonly RpcReceipt[],
  tokens: ReadonlySet<string>,
): ChainBlockContent {
  const receiptOf = new Map(receipts.map((receipt) => [receipt.transactionHash, receipt]));
  const transfers = block.transactions.flatMap((transaction) => {
    const receipt = receiptOf.get(transaction.hash);
    return receipt ? transfersOf(transaction, receipt, tokens) : [];
  });
  return { block: dataOf(block), transfers };
}

/** What is kept of a block itself. */
export function dataOf(block: RpcBlock<unknown>): ChainBlockData {
  return {
    number: hexToBigInt(block.number),
    hash: block.hash,
    parentHash: block.parentHash,
    timestamp: hexToBigInt(block.timestamp),
  };
}

/** The transfers of one transaction, its own value first; none when it was reverted. */
export function transfersOf(
  transaction: RpcTransaction,
  receipt: RpcReceipt,
  tokens: ReadonlySet<string>,
): ChainTransferData[] {
  if (receipt.status !== '0x1') return [];
  // Once for all: a transaction may have as much calldata as a block takes, and hundreds of logs.
  const input = hexToBytes(transaction.input);
  return [...nativeTransfer(transaction, input), ...tokenTransfers(receipt, tokens, input)];
}

/** Only a transaction's own value is seen; value that a contract passes on would need a trace. */
function nativeTransfer({ hash, from, to, value }: RpcTransaction, input: Uint8Array): ChainTransferData[] {
  const units = hexToBigInt(value);
  if (to === null || units === 0n) return [];
  return [
    {
      transactionHash: hash,
      ordinal: -1,
      token: null,
      sender: from.toLowerCase(),
      recipient: to.toLowerCase(),
      units,
      input,
    },
  ];
}

function tokenTransfers(
  { transactionHash, logs }: RpcReceipt,
  tokens: ReadonlySet<string>,
  input: Uint8Array,
): ChainTransferData[] {
  return logs.flatMap((log, ordinal) => {
    const transfer = transferOf(log, tokens);
    return transfer ? [{ transactionHash, ordinal, ...transfer, input }] : [];
  });
}

/** What a log says of a transfer of one of the tokens; null when it says nothing of the kind. */
export function transferOf(
  log: RpcLog,
  tokens: ReadonlySet<string>,
): (Pick<ChainTransferData, 'sender' | 'recipient' | 'units'> & { readonly token: string }) | null {
  const [topic, sender, recipient] = log.topics;
  const token = log.address.toLowerCase();
  const isTransfer = topic === TRANSFER_TOPIC && log.topics.length === 3 && log.data.length === 66;
  if (!isTransfer || !sender || !recipient || !tokens.has(token)) return null;
  const units = hexToBigInt(log.data);
  // Anybody can make a token log a transfer of nothing in another's name.
  return units === 0n ? null : { token, sender: addressIn(sender), recipient: addressIn(recipient), units };
}

function addressIn(topic: Hex): string {
  return `0x${topic.slice(-40).toLowerCase()}`;
}
