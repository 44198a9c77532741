import type { JSX } from 'preact';
import type { Chain, Link, Order } from './api.ts';
import { Copy } from './copy.tsx';
import { Hash } from './hash.tsx';
import { showUnits } from './money.ts';

/** What a payer keeps. */
export function Receipt({
  link,
  order,
  chain,
}: {
  readonly link: Link;
  readonly order: Order;
  readonly chain: Chain | undefined;
}): JSX.Element {
  const { receivedUnits, due, transactions, payTo } = order;
  return (
    <section class="receipt" aria-labelledby="receipt">
      <h2 id="receipt">Receipt</h2>
      <dl>
        <dt>Paid</dt>
        <dd>
          {showUnits(receivedUnits, due.asset.decimals)} {due.asset.symbol}
        </dd>
        <dt>To</dt>
        <dd>
          {link.organizationName} <code>{payTo}</code>
        </dd>
        {transactions.map(({ hash, status }) => (
          <div key={hash}>
            <dt>Transaction</dt>
            <dd>
              <Hash hash={hash} chain={chain} /> <Copy text={hash} what="the transaction" />
              {status === 'ORPHANED' && ' – taken back by the network'}
            </dd>
          </div>
        ))}
      </dl>
      {link.successUrl && (
        <p>
          <a class="button" href={link.successUrl} rel="noreferrer">
            On to {link.organizationName}
          </a>
        </p>
      )}
    </section>
  );
}
