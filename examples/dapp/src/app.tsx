import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { WagmiProvider } from 'wagmi';
import { Dashboard } from './dashboard.tsx';
import { Failure } from './failure.tsx';
import { Chains } from './operations.ts';
import { SignIn } from './signIn.tsx';
import { GATEWAY, tollhouse } from './tollhouse.ts';
import { useSession } from './useSession.ts';
import { createWalletConfig } from './wallets.ts';

/** Asks the gateway for its chains, goes on with the session of an earlier visit, and shows one of two pages. */
export function App(): ReactElement {
  const session = useSession();
  const start = useQuery({ queryKey: ['start'], queryFn: begin, staleTime: Number.POSITIVE_INFINITY });
  return (
    <>
      <header>
        <h1>Tollhouse example</h1>
        <p>
          Gateway <code>{GATEWAY}</code>
        </p>
      </header>
      <main>
        <Failure error={start.error} />
        {start.isPending && <p>Connecting …</p>}
        {start.data && (
          <WagmiProvider config={start.data.config}>
            {session ? <Dashboard key={session.id} session={session} chains={start.data.chains} /> : <SignIn />}
          </WagmiProvider>
        )}
      </main>
    </>
  );
}

async function begin() {
  const [{ chains }] = await Promise.all([tollhouse.query(Chains), tollhouse.resume()]);
  return { chains, config: createWalletConfig(chains) };
}
