import { failure } from './tollhouseError.ts';

/** An account that signs by itself: viem's `LocalAccount`, thirdweb's `Account`, in-app and smart ones too. */
export interface SigningAccount {
  readonly address: string;
  signMessage(asked: { message: string }): Promise<string>;
}

/** viem's `WalletClient`, with an account or with one to be asked for. */
export interface SigningClient {
  readonly account?: { readonly address: string } | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: viem's own parameter is generic over its chains and accounts
  signMessage(asked: any): Promise<string>;
  requestAddresses(): Promise<readonly string[]>;
}

/** thirdweb's `Wallet`, once it is connected. */
export interface AccountHolder {
  getAccount(): SigningAccount | undefined;
}

/** A provider of EIP-1193, as wallets announce it by EIP-6963. */
export interface WalletProvider {
  // biome-ignore lint/suspicious/noExplicitAny: each library narrows the methods in a way of its own
  request(asked: any): Promise<unknown>;
}

/** Whatever can sign a text for an account; told apart by what it can do. */
export type Wallet = SigningAccount | SigningClient | AccountHolder | WalletProvider;

/** A wallet with an account that it will sign for. */
export interface Signer {
  readonly address: string;
  sign(message: string): Promise<string>;
}

/**
 * Finds the account of a wallet; a provider or client without one asks the person to connect.
 * @throws WALLET_MISSING, WALLET_REFUSED, WALLET_FAILED
 */
export async function openWallet(wallet: Wallet | undefined): Promise<Signer> {
  if (!wallet) throw failure('WALLET_MISSING');
  const { address, sign } = await guarded(() => findSigner(wallet));
  if (!address) throw failure('WALLET_MISSING');
  return { address, sign: (message) => guarded(() => sign(message)) };
}

type Found = { readonly address: string | undefined; sign(message: string): Promise<string> };

async function findSigner(wallet: Wallet): Promise<Found> {
  if ('getAccount' in wallet) return findSigner(wallet.getAccount() ?? ABSENT);
  if ('signMessage' in wallet) return 'address' in wallet ? ofAccount(wallet) : ofClient(wallet);
  return ofProvider(wallet);
}

/** A wallet that is not connected has nobody to sign for. */
const ABSENT: SigningAccount = { address: '', signMessage: () => Promise.reject(failure('WALLET_MISSING')) };

function ofAccount(account: SigningAccount): Found {
  return { address: account.address, sign: (message) => account.signMessage({ message }) };
}

async function ofClient(client: SigningClient): Promise<Found> {
  const account = client.account ?? (await client.requestAddresses())[0];
  const address = typeof account === 'string' ? account : account?.address;
  return { address, sign: (message) => client.signMessage({ account, message }) };
}

async function ofProvider(provider: WalletProvider): Promise<Found> {
  const [address] = (await provider.request({ method: 'eth_requestAccounts' })) as string[];
  const sign = (message: string): Promise<string> =>
    provider.request({ method: 'personal_sign', params: [hexOf(message), address] }) as Promise<string>;
  return { address, sign };
}

/** Wallets show a text that came as hexadecimal bytes; some take a bare text for such. */
function hexOf(message: string): string {
  return `0x${Array.from(new TextEncoder().encode(message), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

async function guarded<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    throw failure(isRefusal(cause) ? 'WALLET_REFUSED' : 'WALLET_FAILED', { cause });
  }
}

/** What EIP-1193 says for "no", however deep a library has wrapped it. */
const REFUSED = 4001;

function isRefusal(error: unknown, depth = 5): boolean {
  if (typeof error !== 'object' || error === null || depth === 0) return false;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return code === REFUSED || isRefusal(cause, depth - 1);
}
