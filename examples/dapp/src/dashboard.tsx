import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Session } from 'tollhouse/client';
import { CreateLink } from './createLink.tsx';
import { Failure } from './failure.tsx';
import { LinkList } from './linkList.tsx';
import { type Chain, Overview } from './operations.ts';
import { OrderList } from './orderList.tsx';
import { OrganizationBar } from './organizationBar.tsx';
import { tollhouse } from './tollhouse.ts';

interface DashboardProps {
  readonly session: Session;
  readonly chains: readonly Chain[];
}

/** What a signed-in member sees. Whatever is asked for is of the organization that the session works in. */
export function Dashboard({ session, chains }: DashboardProps): ReactElement {
  const overview = useQuery({
    queryKey: ['overview', session.id],
    queryFn: ({ signal }) => tollhouse.query(Overview, {}, { signal }),
  });
  const viewer = overview.data?.viewer;
  return (
    <>
      <Failure error={overview.error} />
      {viewer && <OrganizationBar session={session} viewer={viewer} />}
      {viewer?.permissions.includes('payments:write') && session.wallet && (
        <CreateLink session={session} payTo={session.wallet} chains={chains} />
      )}
      <LinkList session={session} />
      <OrderList session={session} />
    </>
  );
}
