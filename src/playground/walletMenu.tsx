import type { ReactNode } from 'react';
import type { Account, ChosenWallet } from './account.ts';
import { Menu } from './menu.tsx';
import { type BrowserWallet, useWallets } from './wallets.ts';

/** Signs in with a wallet of this browser. */
export function WalletMenu({ account }: { readonly account: Account }): ReactNode {
  const choices = useWallets().map((wallet) => ({
    ...wallet,
    choose: () => void account.signIn(chosenWallet(wallet)),
  }));
  return (
    <Menu
      label="Sign in with wallet"
      choices={choices}
      none="This browser has no wallet, or none that says so (EIP-6963)."
    />
  );
}

function chosenWallet({ name, provider }: BrowserWallet): ChosenWallet {
  return {
    name,
    open: async () => {
      const chainId = Number(await provider.request({ method: 'eth_chainId' }).catch(() => Number.NaN));
      return { wallet: provider, chainId: Number.isSafeInteger(chainId) ? chainId : undefined };
    },
  };
}
