import { type ReactElement, useMemo, useState } from 'react';
import { createThirdwebClient, defineChain } from 'thirdweb';
import { ConnectButton } from 'thirdweb/react';
import { createWallet, inAppWallet } from 'thirdweb/wallets';
import type { Session } from 'tollhouse/client';
import { createAuth } from './auth.ts';
import type { Chain } from './operations.ts';
import { tollhouse } from './tollhouse.ts';

const auth = createAuth(tollhouse);

const wallets = [inAppWallet({ auth: { options: ['email', 'google', 'passkey'] } }), createWallet('io.metamask')];

interface ConnectProps {
  readonly clientId: string;
  /** A chain of the gateway’s: it asks a smart account there whether a signature is its own. */
  readonly chain: Chain;
  readonly session: Session | null;
}

/** thirdweb’s own button. It connects, asks for the signature by `auth`, and signs out when it disconnects. */
export function Connect({ clientId, chain, session }: ConnectProps): ReactElement {
  const [asSmartAccount, setAsSmartAccount] = useState(false);
  const client = useMemo(() => createThirdwebClient({ clientId }), [clientId]);
  const where = useMemo(() => defineChain({ id: chain.chainId, rpc: chain.publicRpcUrl }), [chain]);
  return (
    <section>
      <p>
        <label>
          <input
            type="checkbox"
            checked={asSmartAccount}
            disabled={session !== null}
            onChange={({ target }) => setAsSmartAccount(target.checked)}
          />{' '}
          As a smart account on {chain.name}
        </label>
      </p>
      <ConnectButton
        key={String(asSmartAccount)}
        client={client}
        chain={where}
        wallets={wallets}
        auth={auth}
        {...(asSmartAccount && { accountAbstraction: { chain: where, sponsorGas: false } })}
      />
    </section>
  );
}
