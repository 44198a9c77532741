import 'graphiql/style.css';
import './style.css';
import { createRoot } from 'react-dom/client';
import { createAccount } from './account.ts';
import { linkVariables } from './examples.ts';
import { createFetcher } from './fetcher.ts';
import { followPayee } from './payee.ts';
import { Playground } from './playground.tsx';
import { readSettings } from './settings.ts';
import { createStorage } from './storage.ts';
import { provideWorkers } from './workers.ts';

const URL_OF_GRAPHQL = '/graphql';

const root = document.getElementById('playground');
if (root) {
  const settings = readSettings(root);
  provideWorkers(settings.workers);
  const account = createAccount(URL_OF_GRAPHQL);
  const variablesOf = (payTo: string): string => linkVariables({ asset: settings.asset ?? '', payTo });
  const written = ['', ...settings.demoWallets.map(({ address }) => address)].map(variablesOf);
  void followPayee(account, { variablesOf, written });
  createRoot(root).render(
    <Playground
      account={account}
      fetcher={createFetcher(URL_OF_GRAPHQL, account.client)}
      storage={createStorage(localStorage)}
      settings={settings}
    />,
  );
}
