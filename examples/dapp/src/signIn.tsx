import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { type Connector, useConfig, useConnectors } from 'wagmi';
import { connect, getConnections, getWalletClient } from 'wagmi/actions';
import { Failure } from './failure.tsx';
import { tollhouse } from './tollhouse.ts';

/** One button a wallet: it connects, signs the gateway’s text, and a session begins. */
export function SignIn(): ReactElement {
  const config = useConfig();
  const wallets = useConnectors();
  const signIn = useMutation({
    mutationFn: async (connector: Connector) => {
      const connected = getConnections(config).some(({ connector: { uid } }) => uid === connector.uid);
      if (!connected) await connect(config, { connector });
      return tollhouse.signIn({ wallet: await getWalletClient(config, { connector }) });
    },
  });
  return (
    <section aria-labelledby="sign-in">
      <h2 id="sign-in">Sign in with a wallet</h2>
      {wallets.length === 0 && (
        <p>No wallet was found in this browser. Install one that announces itself (EIP-6963), and reload.</p>
      )}
      <ul className="wallets">
        {wallets.map((wallet) => (
          <li key={wallet.uid}>
            <button type="button" disabled={signIn.isPending} onClick={() => signIn.mutate(wallet)}>
              {wallet.icon && <img src={wallet.icon} alt="" width="24" height="24" />}
              {wallet.name}
            </button>
          </li>
        ))}
      </ul>
      {signIn.isPending && <p role="status">Your wallet asks you to sign …</p>}
      <Failure error={signIn.error} />
    </section>
  );
}
