import { createPublicClient, createTestClient, createWalletClient, defineChain, type Hex, http } from 'viem';
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

/** Starts anvil with a block each second and one with every transaction, as the local chain has. */
export async function openDevelopmentChain(): Promise<DevelopmentChain> {
  const anvil = await startEphemeralAnvil();
  await deployTestToken({ rpcUrl: anvil.url });
  const clients = connect(anvil.url);
  return {
    rpcUrl: anvil.url,
    setting: {
      chainId: 31_337,
      name: 'Local chain',
      testnet: true,
      rpcUrl: anvil.url,
      publicRpcUrl: anvil.url,
      confirmations: 2,
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

function connect(rpcUrl: string) {
  const chain = defineChain({
    id: 31_337,
    name: 'Local chain',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const transport = http(rpcUrl);
  return {
    chain,
    public: createPublicClient({ chain, transport, pollingInterval: 50, cacheTime: 0 }),
    node: createTestClient({ mode: 'anvil', chain, transport }),
  };
}
