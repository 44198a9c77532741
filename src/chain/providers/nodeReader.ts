import { type Hex, hexToBigInt, hexToNumber, hexToString, numberToHex } from 'viem';
import type { ChainReader } from '../../ports.ts';
import { contentOf, type RpcBlock, type RpcReceipt } from './blockContent.ts';
import { readRange } from './rangeReader.ts';
import { type Call, NodeError, openRpc, type Rpc } from './rpc.ts';

/** `decimals()`, `symbol()` and `balanceOf(address)`. */
const DECIMALS_CALL = '0x313ce567';
const SYMBOL_CALL = '0x95d89b41';
const BALANCE_CALL = '0x70a08231';
const GENESIS_CALL: Call = { method: 'eth_getBlockByNumber', params: ['0x0', false] };

/**
 * Reads a chain through its nodes' JSON-RPC, by full blocks and receipts, and what is final by ranges; never by filters,
 * which die with the node and say nothing of reorgs.
 * @param stop gives up the calls that are under way, and refuses later ones
 */
export function createNodeReader(
  setting: { readonly chainId: number; readonly rpcUrl: string; readonly otherRpcUrls?: readonly string[] | undefined },
  stop?: AbortSignal,
): ChainReader {
  const { chainId, rpcUrl, otherRpcUrls = [] } = setting;
  const rpc = openRpc(chainId, [rpcUrl, ...otherRpcUrls], stop);
  const ask = async <Answer>(method: string, ...params: unknown[]): Promise<Answer> =>
    (await rpc.request({ method, params })) as Answer;
  const blockBy = <Transaction>(
    tag: Hex | 'safe' | 'finalized',
    full: boolean,
  ): Promise<RpcBlock<Transaction> | null> => ask('eth_getBlockByNumber', tag, full);
  const numberOf = async (tag: 'safe' | 'finalized'): Promise<bigint | null> => {
    const block = await blockBy(tag, false);
    return block && hexToBigInt(block.number);
  };
  const hashOfGenesis = (genesis: RpcBlock | null): string => {
    if (!genesis) throw new NodeError(chainId, GENESIS_CALL.method, 'it has no genesis block');
    return genesis.hash;
  };
  const reader: ChainReader = {
    chainId,
    turn: rpc.turn,
    async histories() {
      const calls = [{ method: 'eth_chainId', params: [] }, GENESIS_CALL];
      const answers = (await rpc.requestEach(calls)) as [Hex, RpcBlock | null][];
      return answers.map(([id, genesis]) => ({ chainId: hexToNumber(id), genesisHash: hashOfGenesis(genesis) }));
    },
    genesisHash: async () => hashOfGenesis((await rpc.request(GENESIS_CALL)) as RpcBlock | null),
    headNumber: async () => hexToBigInt(await ask<Hex>('eth_blockNumber')),
    finalizedNumber: () => numberOf('finalized'),
    safeNumber: async () => (await numberOf('safe')) ?? 0n,
    hashOf: async (number) => (await blockBy(numberToHex(number), false))?.hash ?? null,
    async block(number, tokens) {
      const block = await blockBy(numberToHex(number), true);
      if (!block) return null;
      const receipts = await receiptsOf(rpc, block as RpcBlock);
      return receipts && contentOf(block as RpcBlock, receipts, tokens);
    },
    range: (wanted) => readRange(rpc, wanted, (number) => reader.block(number, wanted.tokens)),
    async balances(blockHash, holdings) {
      const calls = holdings.map(({ token, account }) => balanceCall(blockHash, token, account));
      const answers = (await rpc.requestAll(calls)) as Hex[];
      // A contract that was not there yet answers nothing, and nobody had anything of it.
      return answers.map((answer) => (answer.length >= 66 ? hexToBigInt(answer.slice(0, 66) as Hex) : 0n));
    },
    async decimalsOf(token) {
      const answer = await ask<Hex>('eth_call', { to: token, data: DECIMALS_CALL }, 'latest');
      return answer.length === 66 && hexToBigInt(answer) < 256n ? hexToNumber(answer) : null;
    },
    symbolOf: async (token) => textIn(await ask<Hex>('eth_call', { to: token, data: SYMBOL_CALL }, 'latest')),
    async codeAt(address) {
      const code = await ask<string>('eth_getCode', address, 'latest');
      return code === '0x' ? null : code;
    },
  };
  return reader;
}

/** All receipts of exactly this block; null when it is no longer the chain's. */
async function receiptsOf(rpc: Rpc, block: RpcBlock): Promise<readonly RpcReceipt[] | null> {
  if (block.transactions.length === 0) return [];
  const receipts = (await rpc.request({
    method: 'eth_getBlockReceipts',
    params: [block.hash],
  })) as readonly RpcReceipt[] | null;
  const complete = receipts?.length === block.transactions.length && receipts.every((r) => r.blockHash === block.hash);
  return complete ? receipts : null;
}

/** Asked by the block's hash (EIP-1898): of a block that was replaced it fails, and tells nothing of another one. */
function balanceCall(blockHash: string, token: string, account: string): Call {
  const data = `${BALANCE_CALL}${account.slice(2).padStart(64, '0')}`;
  return { method: 'eth_call', params: [{ to: token, data }, { blockHash }] };
}

/** A text as contracts answer with it: as bytes of a length, or, as the oldest do, in one word. */
function textIn(answer: Hex): string | null {
  const digits = answer.slice(2);
  if (digits.length === 64) return hexToString(answer).replace(/\0+$/, '') || null;
  const length = digits.length >= 128 ? Number(BigInt(`0x${digits.slice(64, 128)}`)) : 0;
  const text = digits.slice(128, 128 + 2 * length);
  return length > 0 && text.length === 2 * length ? hexToString(`0x${text}`) : null;
}
