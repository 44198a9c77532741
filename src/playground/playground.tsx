import { GraphiQL } from 'graphiql';
import type { ReactNode } from 'react';
import type { Account } from './account.ts';
import { AccountBar } from './accountBar.tsx';
import { exampleTabs } from './examples.ts';
import type { Fetcher } from './fetcher.ts';
import type { Settings } from './settings.ts';
import type { KeptTexts } from './storage.ts';

interface Parts {
  readonly account: Account;
  readonly fetcher: Fetcher;
  readonly storage: KeptTexts;
  readonly settings: Settings;
}

/** The whole page: the account above, GraphiQL below. */
export function Playground({ account, fetcher, storage, settings: { demoWallets, asset } }: Parts): ReactNode {
  const [first] = demoWallets;
  const tabs = exampleTabs({ asset: asset ?? '', payTo: first?.address ?? '' });
  return (
    <>
      <AccountBar account={account} demoWallets={demoWallets} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          storage={storage}
          defaultTabs={[...tabs]}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
        >
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}
