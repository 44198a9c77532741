import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Session } from 'tollhouse/client';
import { Failure } from './failure.tsx';
import { PaymentLinks } from './operations.ts';
import { tollhouse } from './tollhouse.ts';

/** The organization’s newest links, each with its checkout page. */
export function LinkList({ session }: { readonly session: Session }): ReactElement {
  const { data, error } = useQuery({
    queryKey: ['links', session.id],
    queryFn: ({ signal }) => tollhouse.query(PaymentLinks, {}, { signal }),
  });
  const links = data?.organization?.paymentLinks.edges.map(({ node }) => node);
  return (
    <section aria-labelledby="links">
      <h2 id="links">Payment links</h2>
      <Failure error={error} />
      {links?.length === 0 && <p>None yet.</p>}
      <ul>
        {links?.map(({ id, title, url, effectiveStatus, accepts }) => (
          <li key={id}>
            <strong>{title}</strong>{' '}
            {accepts.map(({ amount, asset }) => `${amount ?? 'any amount of'} ${asset.symbol}`).join(' or ')}{' '}
            <small>{effectiveStatus}</small>{' '}
            <a href={url} target="_blank" rel="noreferrer">
              Open checkout<span className="unseen"> of {title}, in a new tab</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
