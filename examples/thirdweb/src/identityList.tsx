import { type ReactElement, useEffect, useState } from 'react';
import { useAdminWallet } from 'thirdweb/react';
import type { Session } from 'tollhouse/client';
import { Failure } from './failure.tsx';
import { linkProfile } from './linkProfile.ts';
import { Identities, type Identity } from './operations.ts';
import { tollhouse } from './tollhouse.ts';

/** Who is signed in, and all that proves them; an in-app wallet’s profiles can be linked. */
export function IdentityList({ session }: { readonly session: Session }): ReactElement {
  const [identities, setIdentities] = useState<readonly Identity[]>([]);
  const [error, setError] = useState<Error | null>(null);
  const authToken = useAdminWallet()?.getAuthToken?.() ?? null;
  useEffect(() => {
    readIdentities().then(setIdentities, setError);
  }, []);
  const link = (token: string): void => {
    setError(null);
    linkProfile(tollhouse, token).then(readIdentities).then(setIdentities, setError);
  };
  return (
    <section aria-labelledby="identities">
      <h2 id="identities">
        {session.user.displayName}, {session.role} of {session.organization.name}
      </h2>
      <ul>
        {identities.map(({ id, kind, issuer, subject, email, wallet }) => (
          <li key={id}>
            {kind} <code>{subject}</code> {email} <small>{wallet ? `${wallet.kind}, ${wallet.source}` : issuer}</small>
          </li>
        ))}
      </ul>
      {authToken && (
        <button type="button" onClick={() => link(authToken)}>
          Link what thirdweb knows of me
        </button>
      )}
      <Failure error={error} />
    </section>
  );
}

async function readIdentities(): Promise<readonly Identity[]> {
  const { viewer } = await tollhouse.query(Identities);
  return viewer?.identities.edges.map(({ node }) => node) ?? [];
}
