import { BaseError, createPublicClient, type Hex, hexToBigInt, hexToBytes, hexToNumber, http, numberToHex } from 'viem';
import type { ChainBlockContent, ChainReader, ChainTransferData } from '../../ports.ts';

/** `Transfer(address,address,uint256)`, as ERC-20 tokens log it. */
const TRANSFER_TOPIC = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const DECIMALS_CALL = '0x313ce567';

/** What a node answers, as far as it is read here (execution-apis, `eth_getBlockByNumber`). */
interface RpcTransaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly value: Hex;
  readonly input: Hex;
}
interface RpcBlock {
  readonly number: Hex;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: Hex;
  readonly transactions: readonly RpcTransaction[];
}
interface RpcReceipt {
  readonly transactionHash: string;
  readonly blockHash: string;
  readonly status: Hex;
  readonly logs: readonly { readonly address: string; readonly topics: readonly Hex[]; readonly data: Hex }[];
}

interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}
type Request = (call: Call) => Promise<unknown>;

const PATIENCE_MS = 10_000;

/**
 * Reads a chain through a node's JSON-RPC, by full blocks and receipts; never by filters, which say nothing of reorgs.
 * Each call waits ten seconds for its whole answer, and is not repeated: that is the caller's to decide.
 * @param stop gives up the calls that are under way, and refuses later ones
 */
export function createNodeReader(
  { chainId, rpcUrl }: { readonly chainId: number; readonly rpcUrl: string },
  stop?: AbortSignal,
): ChainReader {
  const request = requestTo(chainId, rpcUrl, stop);
  const blockByNumber = (number: bigint, full: boolean): Promise<RpcBlock | null> =>
    request({ method: 'eth_getBlockByNumber', params: [numberToHex(number), full] }) as Promise<RpcBlock | null>;

  return {
    chainId,
    chainIdOfNode: async () => hexToNumber((await request({ method: 'eth_chainId', params: [] })) as Hex),
    async genesisHash() {
      const genesis = await blockByNumber(0n, false);
      if (!genesis) throw new Error(`The node of chain ${chainId} has no genesis block.`);
      return genesis.hash;
    },
    headNumber: async () => hexToBigInt((await request({ method: 'eth_blockNumber', params: [] })) as Hex),
    async finalizedNumber() {
      const block = (await request({
        method: 'eth_getBlockByNumber',
        params: ['finalized', false],
      })) as RpcBlock | null;
      return block ? hexToBigInt(block.number) : 0n;
    },
    hashOf: async (number) => (await blockByNumber(number, false))?.hash ?? null,
    async block(number, tokens) {
      const block = await blockByNumber(number, true);
      if (!block) return null;
      const receipts = await receiptsOf(request, block);
      return receipts && contentOf(block, receipts, tokens);
    },
    async decimalsOf(token) {
      const answer = (await request({
        method: 'eth_call',
        params: [{ to: token, data: DECIMALS_CALL }, 'latest'],
      })) as Hex;
      return answer.length === 66 ? hexToNumber(answer) : null;
    },
  };
}

function requestTo(chainId: number, rpcUrl: string, stop: AbortSignal | undefined): Request {
  // viem's own timeout ends with the headers, and its repeating waits for as long as a provider says.
  const client = createPublicClient({ transport: http(rpcUrl, { timeout: 0, retryCount: 0 }) });
  const send = client.request as unknown as (call: Call, options: { signal: AbortSignal }) => Promise<unknown>;
  const underWay = new Set<AbortController>();
  stop?.addEventListener('abort', () => {
    for (const call of underWay) call.abort();
  });
  return async (call) => {
    const giveUp = new AbortController();
    underWay.add(giveUp);
    if (stop?.aborted) giveUp.abort();
    const patience = setTimeout(() => giveUp.abort(), PATIENCE_MS);
    try {
      return await send(call, { signal: giveUp.signal });
    } catch (error) {
      // viem's errors quote the node's address, which may carry a secret, and ours are written to the log.
      const reason = error instanceof BaseError ? error.shortMessage : 'it did not answer';
      throw new Error(`The node of chain ${chainId} failed at ${call.method}: ${reason}`);
    } finally {
      clearTimeout(patience);
      underWay.delete(giveUp);
    }
  };
}

/** All receipts of exactly this block; null when it is no longer the chain's. */
async function receiptsOf(request: Request, block: RpcBlock): Promise<readonly RpcReceipt[] | null> {
  if (block.transactions.length === 0) return [];
  const receipts = (await request({
    method: 'eth_getBlockReceipts',
    params: [block.hash],
  })) as readonly RpcReceipt[] | null;
  const complete = receipts?.length === block.transactions.length && receipts.every((r) => r.blockHash === block.hash);
  return complete ? receipts : null;
}

function contentOf(block: RpcBlock, receipts: readonly RpcReceipt[], tokens: ReadonlySet<string>): ChainBlockContent {
  const receiptOf = new Map(receipts.map((receipt) => [receipt.transactionHash, receipt]));
  const transfers = block.transactions.flatMap((transaction) => {
    const receipt = receiptOf.get(transaction.hash);
    return receipt?.status === '0x1'
      ? [...nativeTransfer(transaction), ...tokenTransfers(transaction, receipt, tokens)]
      : [];
  });
  return {
    block: {
      number: hexToBigInt(block.number),
      hash: block.hash,
      parentHash: block.parentHash,
      timestamp: hexToBigInt(block.timestamp),
    },
    transfers,
  };
}

/** Only a transaction's own value is seen; value that a contract passes on would need a trace. */
function nativeTransfer({ hash, from, to, value, input }: RpcTransaction): ChainTransferData[] {
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
      input: hexToBytes(input),
    },
  ];
}

function tokenTransfers(
  transaction: RpcTransaction,
  receipt: RpcReceipt,
  tokens: ReadonlySet<string>,
): ChainTransferData[] {
  return receipt.logs.flatMap((log, ordinal) => {
    const [topic, sender, recipient] = log.topics;
    const token = log.address.toLowerCase();
    const isTransfer = topic === TRANSFER_TOPIC && log.topics.length === 3 && log.data.length === 66;
    if (!isTransfer || !sender || !recipient || !tokens.has(token)) return [];
    const units = hexToBigInt(log.data);
    // Anybody can make a token log a transfer of nothing in another's name.
    if (units === 0n) return [];
    return [
      {
        transactionHash: transaction.hash,
        ordinal,
        token,
        sender: `0x${sender.slice(-40).toLowerCase()}`,
        recipient: `0x${recipient.slice(-40).toLowerCase()}`,
        units,
        input: hexToBytes(transaction.input),
      },
    ];
  });
}
