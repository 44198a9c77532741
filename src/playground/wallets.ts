import { createStore } from 'mipd';
import { useSyncExternalStore } from 'react';
import type { WalletProvider } from '../client/tollhouseClient.ts';

/** A wallet that this browser has. */
export interface BrowserWallet {
  readonly id: string;
  readonly name: string;
  /** A picture as a `data:` URL; null for whatever else a wallet says. */
  readonly icon: string | null;
  readonly provider: WalletProvider;
}

const store = createStore();
let wallets = readWallets();
store.subscribe(() => {
  wallets = readWallets();
});

/** The wallets of this browser, as they announce themselves by EIP-6963. */
export function useWallets(): readonly BrowserWallet[] {
  return useSyncExternalStore(store.subscribe, () => wallets);
}

function readWallets(): readonly BrowserWallet[] {
  return store.getProviders().map(({ info: { uuid, name, icon }, provider }) => ({
    id: uuid,
    name,
    // It may be missing, whatever the standard says.
    icon: /^data:image\//.test(icon) ? icon : null,
    provider,
  }));
}
