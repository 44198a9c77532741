import { setTimeout as sleep } from 'node:timers/promises';
import { type Abi, createPublicClient, createTestClient, createWalletClient, defineChain, type Hex, http } from 'viem';
import artifact from '../../src/chain/contracts/TestToken.json' with { type: 'json' };
import { startEphemeralAnvil } from '../../src/chain/providers/anvil.ts';
import { devAccount } from '../../src/chain/providers/devAccounts.ts';
import { deployTestToken, TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { ChainSetting } from '../../src/environment.ts';

/** A chain of a test's own, with the test token deployed. */
export interface DevelopmentChain {
  readonly rpcUrl: string;
  readonly setting: ChainSetting;
  readonly node: ReturnType<typeof connect>['node'];
  readonly public: ReturnType<typeof connect>['public'];
  /** Sends from one of anvil's funded accounts 5 to 9, and waits until it is mined. */
  send(from: 5 | 6 | 7 | 8 | 9, call: { to: string; value?: bigint; data?: Hex }): Promise<Hex>;
  stop(): Promise<void>;
}

/**
 * Starts anvil, which mines a block with every transaction.
 * @param given.chainId of another chain than the local one
 */
export async function openDevelopmentChain(
  given: { readonly chainId?: number; readonly flags?: readonly string[] } = {},
): Promise<DevelopmentChain> {
  const { chainId = 31_337, flags = [] } = given;
  const anvil = await startEphemeralAnvil({ flags: ['--chain-id', String(chainId), ...flags] });
  const clients = connect(anvil.url, chainId);
  await (chainId === 31_337 ? deployTestToken({ rpcUrl: anvil.url }) : deployAlike(clients, anvil.url));
  return {
    rpcUrl: anvil.url,
    setting: {
      chainId,
      name: chainId === 31_337 ? 'Local chain' : `Chain ${chainId}`,
      testnet: true,
      rpcUrl: anvil.url,
      publicRpcUrl: anvil.url,
      finality: { kind: 'CONFIRMATIONS', confirmations: 2 },
      minesOnDemand: true,
      assets: [
        { symbol: 'ETH', name: 'Ether', decimals: 18 },
        { address: TEST_TOKEN_ADDRESS, symbol: 'TUSD', name: 'Toll Test Dollar', decimals: 6 },
      ],
    },
    ...clients,
    async send(from, { to, value = 0n, data = '0x' }) {
      const wallet = createWalletClient({
        account: devAccount(from).account,
        chain: clients.chain,
        transport: http(anvil.url),
      });
      const hash = await wallet.sendTransaction({ to: to as Hex, value, data });
      await clients.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
      return hash;
    },
    stop: () => anvil.stop(),
  };
}

/** The test token where it stands on the local chain, on another one. */
async function deployAlike({ chain, public: client }: ReturnType<typeof connect>, rpcUrl: string): Promise<void> {
  const wallet = createWalletClient({ account: devAccount(4).account, chain, transport: http(rpcUrl) });
  await wallet.deployContract({ abi: artifact.abi as Abi, bytecode: artifact.bytecode as Hex, nonce: 0 });
  while (!(await client.getCode({ address: TEST_TOKEN_ADDRESS }))) await sleep(10);
}

function connect(rpcUrl: string, chainId: number) {
  const chain = defineChain({
    id: chainId,
    name: 'Local chain',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
    // Nobody replaces these; and who looks for a replacement may miss the one block that a quiet chain mines.
    supportsTransactionReplacementDetection: false,
  });
  const transport = http(rpcUrl);
  return {
    chain,
    public: createPublicClient({ chain, transport, pollingInterval: 50, cacheTime: 0 }),
    node: createTestClient({ mode: 'anvil', chain, transport }),
  };
}
