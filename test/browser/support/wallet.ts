import type { BrowserContext, Page } from 'playwright-core';
import { createWalletClient, defineChain, type Hex, http, isHex, numberToHex } from 'viem';
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { injectWallet } from './injected.ts';

/** A chain as a wallet knows it. */
export interface KnownChain {
  readonly chainId: number;
  readonly rpcUrl: string;
}

/** A wallet in a browser, held by the test: what it is asked, and what its owner says to that. */
export interface BrowserWallet {
  account: PrivateKeyAccount;
  /** What it was asked, in order, without what only reads. */
  readonly asked: string[];
  /** The chains that it knows, by their ids. */
  readonly chains: Map<number, string>;
  /** Methods that its owner refuses, until a test takes them away again. */
  readonly refused: Set<string>;
  /** The chain that it is on. */
  chainId: number;
  /** The transactions that it has sent. */
  readonly sent: Hex[];
  /** What `wallet_addEthereumChain` was told. */
  readonly told: unknown[];
  /** What happens in the world while it is asked something, before it answers. */
  meanwhile: (method: string) => Promise<void>;
  /** What its owner makes of a transaction before it is sent. */
  edit: (call: SentCall) => SentCall;
  /** Sends a transaction by itself, as from another device. */
  send(call: SentCall): Promise<Hex>;
  /** Has another account from now on, a fresh one. */
  changeAccount(): void;
}

/** A failure as wallets have them. */
function fault(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** What only reads, and asks nobody. */
const READS = /^(eth_accounts|eth_chainId|net_version|eth_get|eth_call|eth_block)/;

/**
 * Puts a wallet into every page of a context, before the page's own code runs. It signs with an account of viem, and sends
 * to real nodes.
 * @param given.account a fresh one when absent
 * @param given.name how it announces itself
 */
export async function installWallet(
  context: BrowserContext,
  given: {
    readonly chains: readonly KnownChain[];
    readonly account?: PrivateKeyAccount;
    readonly name?: string;
  },
): Promise<BrowserWallet> {
  const { chains, account = privateKeyToAccount(generatePrivateKey()), name = 'Test Wallet' } = given;
  const wallet: BrowserWallet = {
    account,
    asked: [],
    chains: new Map(chains.map(({ chainId, rpcUrl }) => [chainId, rpcUrl])),
    refused: new Set(),
    chainId: chains[0]?.chainId ?? 1,
    sent: [],
    told: [],
    meanwhile: async () => undefined,
    edit: (call) => call,
    send: (call) => sendTransaction(wallet, call),
    changeAccount: () => {
      wallet.account = privateKeyToAccount(generatePrivateKey());
    },
  };
  // Errors of a wallet have codes, which only data carries from here into the page.
  await context.exposeFunction('tollhouseWallet', async (method: string, params: readonly unknown[]) => {
    if (!READS.test(method)) wallet.asked.push(method);
    try {
      await wallet.meanwhile(method);
      if (wallet.refused.has(method)) throw fault(4001, 'User rejected the request.');
      return { result: await answer(wallet, method, params) };
    } catch (error) {
      const { code, details, message } = error as { code?: number; details?: string; message?: string };
      return { error: { code: code ?? -32_603, message: details ?? message ?? String(error) } };
    }
  });
  const uuid = '350670db-19fa-4704-a166-e52e178b59d2';
  await context.addInitScript(injectWallet, { name, rdns: 'test.tollhouse.wallet', uuid });
  return wallet;
}

/** What wallets and extensions tell pages by themselves: another account, another chain, a connection that was ended. */
export function emit(page: Page, event: string, ...values: unknown[]): Promise<void> {
  return page.evaluate(
    ([name, ...rest]) => {
      (globalThis as unknown as { tollhouseEmit(event: unknown, ...values: unknown[]): void }).tollhouseEmit(
        name,
        ...rest,
      );
    },
    [event, ...values],
  );
}

async function answer(wallet: BrowserWallet, method: string, params: readonly unknown[]): Promise<unknown> {
  const { account, chains } = wallet;
  switch (method) {
    case 'eth_requestAccounts':
    case 'eth_accounts':
      return [account.address];
    case 'eth_chainId':
      return numberToHex(wallet.chainId);
    case 'wallet_switchEthereumChain': {
      const { chainId } = params[0] as { chainId: Hex };
      if (!chains.has(Number(chainId))) throw fault(4902, 'Unrecognized chain ID.');
      wallet.chainId = Number(chainId);
      return null;
    }
    case 'wallet_addEthereumChain': {
      const { chainId, rpcUrls } = params[0] as { chainId: Hex; rpcUrls: readonly string[] };
      wallet.told.push(params[0]);
      chains.set(Number(chainId), rpcUrls[0] ?? '');
      return null;
    }
    case 'personal_sign': {
      const [text, address] = params as [string, string];
      if (address.toLowerCase() !== account.address.toLowerCase()) throw fault(4100, 'Unauthorized.');
      return account.signMessage({ message: isHex(text) ? { raw: text } : text });
    }
    case 'eth_sendTransaction':
      return sendTransaction(wallet, wallet.edit(params[0] as SentCall));
    default:
      return relay(chains.get(wallet.chainId) ?? '', method, params);
  }
}

/** A transaction as a page asks for it. */
export interface SentCall {
  readonly to: Hex;
  readonly chainId?: Hex;
  readonly value?: Hex;
  readonly data?: Hex;
  readonly gas?: bigint;
}

async function sendTransaction(wallet: BrowserWallet, call: SentCall): Promise<Hex> {
  const { to, value, data, gas } = call;
  const { account, chainId, chains } = wallet;
  if (call.chainId && Number(call.chainId) !== chainId) throw fault(-32_602, 'That is for another chain.');
  const rpcUrl = chains.get(chainId) ?? '';
  const chain = defineChain({
    id: chainId,
    name: `Chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const client = createWalletClient({ account, chain, transport: http(rpcUrl) });
  const hash = await client.sendTransaction({
    to,
    ...(value && { value: BigInt(value) }),
    ...(data && { data }),
    ...(gas && { gas }),
  });
  wallet.sent.push(hash);
  return hash;
}

async function relay(rpcUrl: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
  if (error) throw error;
  return result;
}
