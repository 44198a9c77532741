import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { ResultOf, Session } from 'tollhouse/client';
import { useDisconnect } from 'wagmi';
import { Failure } from './failure.tsx';
import type { Overview } from './operations.ts';
import { tollhouse } from './tollhouse.ts';

interface OrganizationBarProps {
  readonly session: Session;
  readonly viewer: NonNullable<ResultOf<typeof Overview>['viewer']>;
}

/** Who is signed in, and where: to go to another organization, and to leave. */
export function OrganizationBar({ session, viewer }: OrganizationBarProps): ReactElement {
  const queries = useQueryClient();
  const { mutate: disconnect } = useDisconnect();
  const switchTo = useMutation({ mutationFn: (id: string) => tollhouse.switchOrganization(id) });
  const signOut = useMutation({
    mutationFn: () => tollhouse.signOut(),
    // Even where the gateway could not be told, nothing of it stays in this page.
    onSettled: () => {
      disconnect();
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey.includes(session.id) });
    },
  });
  const { organization, memberships, role } = viewer;
  const { edges, pageInfo } = organization.memberships;
  return (
    <section aria-labelledby="organization">
      <h2 id="organization">{organization.name}</h2>
      <dl>
        <dt>Signed in as</dt>
        <dd>
          {session.user.displayName} <code>{session.wallet}</code>
        </dd>
        <dt>Role</dt>
        <dd>{role}</dd>
        <dt>Members</dt>
        <dd>{pageInfo.hasNextPage ? `more than ${edges.length}` : edges.length}</dd>
      </dl>
      <label>
        Organization
        <select
          value={organization.id}
          disabled={switchTo.isPending}
          onChange={({ target }) => switchTo.mutate(target.value)}
        >
          {memberships.map(({ organization: { id, name } }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
        Sign out
      </button>
      <Failure error={switchTo.error ?? signOut.error} />
    </section>
  );
}
