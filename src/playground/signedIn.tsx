import type { ReactNode } from 'react';
import type { Account, Person } from './account.ts';

/** Who is signed in and where, with the way to another organization and out. */
export function SignedIn({ account, person }: { readonly account: Account; readonly person: Person }): ReactNode {
  const { name, wallet, role, organization, organizations } = person;
  return (
    <>
      <span className="person" title={wallet ?? undefined}>
        {name}
        <small>{role}</small>
      </span>
      <select
        className="button"
        aria-label="Organization"
        value={organization.id}
        onChange={({ target }) => void account.switchOrganization(target.value)}
      >
        {organizations.map(({ id, name: called }) => (
          <option key={id} value={id}>
            {called}
          </option>
        ))}
      </select>
      <button type="button" className="button" onClick={() => void account.signOut()}>
        Sign out
      </button>
    </>
  );
}
