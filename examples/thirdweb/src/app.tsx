import { type ReactElement, useEffect, useState } from 'react';
import { Connect } from './connect.tsx';
import { Failure } from './failure.tsx';
import { IdentityList } from './identityList.tsx';
import { type Chain, Chains } from './operations.ts';
import { GATEWAY, tollhouse } from './tollhouse.ts';
import { useSession } from './useSession.ts';

/** The button, and who is signed in by it. */
export function App(): ReactElement {
  const session = useSession();
  const [chains, setChains] = useState<readonly Chain[]>([]);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    tollhouse.query(Chains).then((answer) => setChains(answer.chains), setError);
  }, []);
  const { VITE_THIRDWEB_CLIENT_ID: clientId } = import.meta.env;
  const [chain] = chains;
  return (
    <main>
      <h1>Tollhouse with thirdweb</h1>
      <p>
        Gateway <code>{GATEWAY}</code>
      </p>
      <Failure error={error} />
      {!clientId && (
        <p role="alert">
          thirdweb’s wallets need an identifier of a project of yours: start this with{' '}
          <code>VITE_THIRDWEB_CLIENT_ID</code>.
        </p>
      )}
      {clientId && chain && <Connect clientId={clientId} chain={chain} session={session} />}
      {session && <IdentityList key={session.id} session={session} />}
    </main>
  );
}
