import type { Chain, Order } from './api.ts';
import type { Provider } from './wallets.ts';

/** The transaction that pays an order. */
export type PaymentRequest = NonNullable<Order['paymentRequest']>;

/** What a wallet has refused, or could not do, in words for who owns it. */
export class WalletError extends Error {
  constructor(
    message: string,
    /** Whether it may have sent something all the same, or may still do so. */
    readonly maySend: boolean = false,
  ) {
    super(message);
    this.name = 'WalletError';
  }
}

const UNKNOWN_CHAIN = 4902;
const ASKS_ALREADY = -32_002;

/** Asks a wallet for the account to pay with. */
export async function connect(provider: Provider): Promise<`0x${string}`> {
  const accounts = await ask(provider, 'eth_requestAccounts', []);
  const [account] = Array.isArray(accounts) ? accounts : [];
  if (typeof account !== 'string' || !account.startsWith('0x')) {
    throw new WalletError('The wallet has no account to pay with.');
  }
  return account as `0x${string}`;
}

/** Brings a wallet to a chain, which it is told of when it does not know it. */
export async function switchTo(provider: Provider, chain: Chain): Promise<void> {
  const chainId = hexOf(chain.chainId);
  if (Number(await ask(provider, 'eth_chainId', [])) === chain.chainId) return;
  await ask(provider, 'wallet_switchEthereumChain', [{ chainId }], async (code, message) => {
    // some wallets say it in words alone
    if (code !== UNKNOWN_CHAIN && !/unrecognized chain/i.test(message)) return false;
    const coin = chain.assets.find(({ address }) => address === null);
    const nativeCurrency = {
      name: coin?.name ?? 'Ether',
      symbol: coin?.symbol ?? 'ETH',
      decimals: coin?.decimals ?? 18,
    };
    const told = {
      chainId,
      chainName: chain.name,
      nativeCurrency,
      rpcUrls: [chain.publicRpcUrl],
      ...(chain.explorerUrl !== null && { blockExplorerUrls: [chain.explorerUrl] }),
    };
    await ask(provider, 'wallet_addEthereumChain', [told]);
    return true;
  });
  if (Number(await ask(provider, 'eth_chainId', [])) !== chain.chainId) {
    await ask(provider, 'wallet_switchEthereumChain', [{ chainId }]);
  }
  if (Number(await ask(provider, 'eth_chainId', [])) !== chain.chainId) {
    throw new WalletError(`Your wallet is on another network. Switch it to ${chain.name}, and try again.`);
  }
}

/** Has a wallet send a payment, on its chain and no other; answers the transaction’s hash. */
export async function send(provider: Provider, from: string, request: PaymentRequest): Promise<string> {
  const { chainId, to, value, data } = request;
  const transaction = {
    from,
    to,
    value: hexOf(BigInt(value)),
    chainId: hexOf(chainId),
    ...(data !== '0x' && { data }),
  };
  const hash = await ask(provider, 'eth_sendTransaction', [transaction]);
  if (typeof hash !== 'string') throw new WalletError('The wallet did not say which transaction it has sent.', true);
  return hash;
}

/** Has a wallet sign a text. */
export async function sign(provider: Provider, account: string, text: string): Promise<`0x${string}`> {
  const bytes = [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0'));
  const signature = await ask(provider, 'personal_sign', [`0x${bytes.join('')}`, account]);
  if (typeof signature !== 'string') throw new WalletError('The wallet did not sign.');
  return signature as `0x${string}`;
}

function hexOf(number: number | bigint): string {
  return `0x${number.toString(16)}`;
}

type Mend = (code: number, message: string) => Promise<boolean>;

async function ask(
  provider: Provider,
  method: string,
  params: readonly unknown[],
  mend: Mend = async () => false,
): Promise<unknown> {
  try {
    return await provider.request({ method, params });
  } catch (error) {
    const { code, message } = readFault(error);
    if (await mend(code, message)) return null;
    throw new WalletError(wordsOf(code, message), code === ASKS_ALREADY);
  }
}

/** What wallets throw: errors, objects like errors, and errors inside of errors. */
function readFault(error: unknown): { code: number; message: string } {
  const { code, message, data } = (error ?? {}) as {
    code?: unknown;
    message?: unknown;
    data?: { originalError?: { code?: unknown } };
  };
  const inner = data?.originalError?.code;
  return { code: Number(inner ?? code ?? 0), message: typeof message === 'string' ? message : '' };
}

function wordsOf(code: number, message: string): string {
  if (code === 4001) return 'You have refused in the wallet. Nothing was paid.';
  if (code === ASKS_ALREADY) return 'Your wallet is asking you already. Open it.';
  if (code === 4900 || code === 4901) return 'Your wallet is not connected to the network. Check it, and try again.';
  if (/insufficient funds/i.test(message))
    return 'There is not enough in this wallet to pay, or for the network’s fee.';
  const said = message.trim().slice(0, 200);
  return said === '' ? 'The wallet could not do it.' : `The wallet could not do it: ${said}`;
}
