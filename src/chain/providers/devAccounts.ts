import { type Address, bytesToHex, type Hex } from 'viem';
import { type HDAccount, mnemonicToAccount } from 'viem/accounts';

/** Development only, publicly known: anvil's own default phrase. Whatever is sent to its accounts elsewhere is lost. */
const DEV_MNEMONIC = 'test test test test test test test test test test test junk';

/** One of the ten accounts that anvil funds with 10,000 ether; development only, its key is publicly known. */
export interface DevAccount {
  readonly index: number;
  readonly address: Address;
  /** Publicly known: may be printed, for import into a wallet. */
  readonly privateKey: Hex;
  /** Signs, for viem's clients. */
  readonly account: HDAccount;
}

/** 0 to 3 are the demo wallets, 4 deploys the test token, 5 to 9 are the user's: the gateway never touches them. */
export type DevAccountIndex = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Any of anvil's ten funded accounts; development only. Each call derives anew, in about 20 ms. */
export function devAccount(index: DevAccountIndex): DevAccount {
  const account = mnemonicToAccount(DEV_MNEMONIC, { addressIndex: index });
  const key = account.getHdKey().privateKey;
  if (!key) throw new Error(`No private key at index ${index} of the development phrase.`);
  return { index, address: account.address, privateKey: bytesToHex(key), account };
}

/** A wallet of the seeded demo: funded on the local chain, development only, publicly known. */
export function demoAccount(index: 0 | 1 | 2 | 3): DevAccount {
  return devAccount(index);
}

/** All ten of these accounts, in lower case: whoever signs with one may be anybody. */
export function publicAccounts(): string[] {
  return ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const).map((index) => devAccount(index).address.toLowerCase());
}
