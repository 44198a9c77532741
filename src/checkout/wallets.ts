import { createStore } from 'mipd';
import { useEffect, useState } from 'preact/hooks';

/** What a wallet in the browser is asked through (EIP-1193). */
export interface Provider {
  request(asked: { readonly method: string; readonly params?: readonly unknown[] }): Promise<unknown>;
}

/** A wallet that has said that it is there. */
export interface Wallet {
  readonly id: string;
  /** What it is called by programs: the same on the next page, which `id` is not. */
  readonly rdns: string;
  readonly name: string;
  /** A picture as a `data:` URL; null where it has none that may be shown. */
  readonly icon: string | null;
  readonly provider: Provider;
}

const store = createStore();

/** The wallets of this browser, as they announce themselves (EIP-6963); else the one that stands where they used to. */
export function useWallets(): readonly Wallet[] {
  const [wallets, setWallets] = useState(findWallets);
  useEffect(() => {
    setWallets(findWallets());
    return store.subscribe(() => setWallets(findWallets()));
  }, []);
  return wallets;
}

function findWallets(): Wallet[] {
  const announced = store.getProviders().map(({ info, provider }) => ({
    id: info.uuid,
    rdns: info.rdns,
    name: info.name,
    icon: /^data:image\//.test(info.icon) ? info.icon : null,
    provider: provider as Provider,
  }));
  const { ethereum } = globalThis as { ethereum?: Provider };
  if (announced.length > 0 || typeof ethereum?.request !== 'function') return announced;
  return [{ id: 'ethereum', rdns: 'ethereum', name: 'Browser wallet', icon: null, provider: ethereum }];
}
