import { defineChain } from 'viem';
import { type Config, createConfig, http } from 'wagmi';
import type { Chain } from './operations.ts';

/** wagmi for the gateway’s chains. It finds the wallets of the browser by itself (EIP-6963), so none is named here. */
export function createWalletConfig(chains: readonly Chain[]): Config {
  const [first, ...others] = chains.map(toViem);
  if (!first) throw new Error('The gateway takes payments on no chain.');
  const all = [first, ...others] as const;
  return createConfig({ chains: all, transports: Object.fromEntries(all.map(({ id }) => [id, http()])) });
}

function toViem({ chainId, name, publicRpcUrl, assets }: Chain) {
  const coin = assets.find(({ address }) => address === null);
  return defineChain({
    id: chainId,
    name,
    nativeCurrency: coin ?? { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [publicRpcUrl] } },
  });
}
