import type { ReactNode } from 'react';
import type { Account, ChosenWallet } from './account.ts';
import { Menu } from './menu.tsx';
import type { DemoWallet } from './settings.ts';

/** Signs in as somebody of the demo, whose keys everybody knows: the page signs, and no wallet is needed. */
export function DemoMenu({
  account,
  wallets,
}: {
  readonly account: Account;
  readonly wallets: readonly DemoWallet[];
}): ReactNode {
  const choices = wallets.map((wallet) => ({
    id: wallet.address,
    name: wallet.name,
    about: wallet.part,
    choose: () => void account.signIn(chosenWallet(wallet)),
  }));
  return <Menu label="Sign in as a demo wallet" choices={choices} none="The demo has no wallets." />;
}

function chosenWallet({ name, privateKey }: DemoWallet): ChosenWallet {
  return {
    name,
    open: async () => {
      const { privateKeyToAccount } = await import('./demoAccount.ts');
      return { wallet: privateKeyToAccount(privateKey) };
    },
  };
}
