import { type ReactNode, useSyncExternalStore } from 'react';
import type { Account } from './account.ts';
import { DemoMenu } from './demoMenu.tsx';
import type { DemoWallet } from './settings.ts';
import { SignedIn } from './signedIn.tsx';
import { WalletMenu } from './walletMenu.tsx';

/** The bar above the editors: who is signed in, or how to sign in, and what has just become of that. */
export function AccountBar({
  account,
  demoWallets,
}: {
  readonly account: Account;
  readonly demoWallets: readonly DemoWallet[];
}): ReactNode {
  const { person, notice } = useSyncExternalStore(account.subscribe, account.read);
  return (
    <header className="bar">
      <h1>Tollhouse</h1>
      <p className="notice" role="status" data-tone={notice?.tone}>
        {notice?.text}
      </p>
      {person ? (
        <SignedIn account={account} person={person} />
      ) : (
        <>
          <WalletMenu account={account} />
          {demoWallets.length > 0 && <DemoMenu account={account} wallets={demoWallets} />}
        </>
      )}
    </header>
  );
}
