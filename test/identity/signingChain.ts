import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  type Abi,
  type ContractConstructorArgs,
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  encodeAbiParameters,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContractAddress,
  type Hex,
  hashMessage,
  http,
  parseAbiParameters,
  serializeErc6492Signature,
  stringToHex,
} from 'viem';
import { startEphemeralAnvil } from '../../src/chain/providers/anvil.ts';
import { devAccount } from '../../src/chain/providers/devAccounts.ts';
import type { ChainSetting } from '../../src/environment.ts';
import { sha256 } from '../../src/kernel/digest.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import accountMessageWallet from './contracts/AccountMessageWallet.json' with { type: 'json' };
import factoryWallet from './contracts/FactoryWallet.json' with { type: 'json' };
import oddWallet from './contracts/OddWallet.json' with { type: 'json' };
import ownedWallet from './contracts/OwnedWallet.json' with { type: 'json' };
import passkeyWallet from './contracts/PasskeyWallet.json' with { type: 'json' };
import walletFactory from './contracts/WalletFactory.json' with { type: 'json' };
import { type Attempt, getChallenge, goodTerms, submit, type Wallet, writeText } from './visitor.ts';

/** The contracts of these tests, as they were compiled. */
export const CONTRACTS = {
  AccountMessageWallet: accountMessageWallet,
  FactoryWallet: factoryWallet,
  OddWallet: oddWallet,
  OwnedWallet: ownedWallet,
  PasskeyWallet: passkeyWallet,
  WalletFactory: walletFactory,
};

type ContractName = keyof typeof CONTRACTS;

const NOBODY: Hex = '0x000000000000000000000000000000000000dEaD';

/** The ways of `OddWallet`, in its order. */
export const WAYS = [
  'SAYS_YES',
  'REVERTS',
  'BURNS_GAS',
  'SAYS_NOTHING',
  'SAYS_FOUR_BYTES',
  'SAYS_TRUE',
  'SAYS_TOO_MUCH',
] as const;

/** A chain of a test's own that contracts are deployed on. */
export interface SigningChain {
  readonly setting: ChainSetting;
  readonly public: ReturnType<typeof connect>['public'];
  deploy(name: ContractName, ...args: readonly unknown[]): Promise<Hex>;
  /** Sends from any account, which anvil lets speak; without a `to` it makes a contract, whose address is answered. */
  sendAs(from: Hex, call: { to?: Hex; data: Hex }): Promise<Hex>;
  /** Lets an account of its own key delegate to code (EIP-7702). */
  delegate(account: Wallet, code: Hex): Promise<void>;
  stop(): Promise<void>;
}

/** Starts anvil under this chain id. */
export async function openSigningChain(chainId = 31_337): Promise<SigningChain> {
  const anvil = await startEphemeralAnvil({ flags: ['--chain-id', String(chainId)] });
  const clients = connect(anvil.url, chainId);
  const mined = async (hash: Hex): Promise<Hex> => {
    const receipt = await clients.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    if (receipt.status !== 'success') throw new Error(`Transaction ${hash} was reverted.`);
    return receipt.contractAddress ?? '0x';
  };
  return {
    public: clients.public,
    setting: {
      chainId,
      name: `Chain ${chainId}`,
      testnet: true,
      rpcUrl: anvil.url,
      publicRpcUrl: anvil.url,
      finality: { kind: 'CONFIRMATIONS', confirmations: 1 },
      assets: [{ symbol: 'ETH', name: 'Ether', decimals: 18 }],
    },
    async deploy(name, ...args) {
      return mined(await clients.wallet.sendTransaction({ data: creationCode(name, ...args), to: null }));
    },
    async sendAs(from, call) {
      await clients.node.impersonateAccount({ address: from });
      await clients.node.setBalance({ address: from, value: 10n ** 18n });
      return mined(await clients.node.sendUnsignedTransaction({ from, ...call }));
    },
    async delegate(account, code) {
      const nonce = await clients.public.getTransactionCount({ address: account.address });
      const authorization = await account.signAuthorization({ contractAddress: code, chainId, nonce });
      await mined(await clients.wallet.sendTransaction({ to: NOBODY, authorizationList: [authorization] }));
    },
    stop: anvil.stop,
  };
}

function connect(rpcUrl: string, chainId: number) {
  const chain = defineChain({
    id: chainId,
    name: `Chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
    // Nobody replaces these; and who looks for a replacement may miss the one block that a quiet chain mines.
    supportsTransactionReplacementDetection: false,
  });
  const transport = http(rpcUrl);
  return {
    public: createPublicClient({ chain, transport, pollingInterval: 20, cacheTime: 0 }),
    node: createTestClient({ mode: 'anvil', chain, transport }),
    wallet: createWalletClient({ account: devAccount(9).account, chain, transport }),
  };
}

/** What a contract is made of. */
export function creationCode(name: ContractName, ...args: readonly unknown[]): Hex {
  const { abi, bytecode } = CONTRACTS[name];
  return encodeDeployData({ abi: abi as Abi, bytecode: bytecode as Hex, args: args as ContractConstructorArgs });
}

/** A call that changes who owns an `OwnedWallet`. */
export function rotation(next: Hex): Hex {
  return encodeFunctionData({ abi: ownedWallet.abi, functionName: 'rotate', args: [next] });
}

/** A contract that the factory has not deployed yet: where it will be, and how its signatures are wrapped (ERC-6492). */
export function undeployed(
  factory: Hex,
  code: Hex,
  functionName: 'deploy' | 'pretend' | 'burn' = 'deploy',
): { readonly address: Hex; readonly call: Hex; wrap(signature: Hex): Hex } {
  const salt: Hex = `0x${randomBytes(32).toString('hex')}`;
  const call = encodeFunctionData({ abi: walletFactory.abi, functionName, args: [salt, code] });
  return {
    address: getContractAddress({ opcode: 'CREATE2', from: factory, salt, bytecode: code }),
    call,
    wrap: (signature) => serializeErc6492Signature({ address: factory, data: call, signature }),
  };
}

/** A passkey, as `PasskeyWallet` takes it: the curve's point, and assertions of at least so many bytes. */
export function newPasskey(): { x: Hex; y: Hex; assert(message: string, padding?: number): Hex } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const word = (text: string): Hex => `0x${Buffer.from(text, 'base64url').toString('hex').padStart(64, '0')}`;
  return { x: word(x), y: word(y), assert: (message, padding = 0) => assertion(privateKey, message, padding) };
}

function assertion(key: KeyObject, message: string, padding: number): Hex {
  const authenticator = randomBytes(37);
  const before = '{"type":"webauthn.get","challenge":"';
  const behind = `","origin":"https://wallet.example","padding":"${'x'.repeat(padding)}"}`;
  const challenge = hashMessage(message).slice(2);
  const client = sha256(before + challenge + behind);
  const signature = sign('sha256', Buffer.concat([authenticator, client]), { key, dsaEncoding: 'ieee-p1363' });
  return encodeAbiParameters(parseAbiParameters('bytes, bytes, bytes, bytes32, bytes32'), [
    `0x${authenticator.toString('hex')}`,
    stringToHex(before),
    stringToHex(behind),
    `0x${signature.subarray(0, 32).toString('hex')}`,
    `0x${signature.subarray(32).toString('hex')}`,
  ]);
}

/** A text of this account's with a nonce of its own, and what became of it. */
export interface Presented extends Attempt {
  readonly nonce: string;
  readonly message: string;
  readonly signature: Hex;
}

/** Hands in a good text of this account, signed so. */
export async function presentAs(
  house: TestTollhouse,
  address: Hex,
  signature: (message: string) => Hex | Promise<Hex>,
  chainId = 31_337,
): Promise<Presented> {
  const { nonce } = await getChallenge(house);
  const message = writeText({ ...goodTerms(house, { address: getAddress(address) }, nonce), chainId });
  const signed = await signature(message);
  return { ...(await submit(house, { message, signature: signed })), nonce, message, signature: signed };
}
