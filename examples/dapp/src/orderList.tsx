import type { ReactElement } from 'react';
import type { Session } from 'tollhouse/client';
import { formatUnits } from 'viem';
import { Failure } from './failure.tsx';
import type { Order } from './operations.ts';
import { useOrders } from './useOrders.ts';

const WORDS: Readonly<Record<Order['status'], string>> = {
  CREATED: 'waits for payment',
  DETECTED: 'paid in part',
  CONFIRMING: 'seen on the chain',
  PAID: 'paid',
  FINAL: 'paid, for good',
  EXPIRED: 'expired',
  CANCELED: 'canceled',
  FAILED: 'failed',
};

/** Who pays, as it happens. */
export function OrderList({ session }: { readonly session: Session }): ReactElement {
  const { orders, latest, interruption } = useOrders(session);
  return (
    <section aria-labelledby="orders">
      <h2 id="orders">Orders</h2>
      <p role="status">
        {latest &&
          `${amountOf(latest)} for “${latest.paymentLink?.title ?? 'a deleted link'}”: ${WORDS[latest.status]}.`}
      </p>
      <Failure error={orders.error ?? interruption} />
      {orders.data?.length === 0 && <p>None yet. Open a checkout and pay.</p>}
      {orders.data && orders.data.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">For</th>
              <th scope="col">Due</th>
              <th scope="col">Status</th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            {orders.data.map((order) => (
              <tr key={order.id}>
                <td>{order.paymentLink?.title ?? 'a deleted link'}</td>
                <td>{amountOf(order)}</td>
                <td data-status={order.status}>{WORDS[order.status]}</td>
                <td>
                  <time dateTime={order.createdAt}>
                    {new Date(order.createdAt).toLocaleTimeString([], { timeStyle: 'short' })}
                  </time>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Units are exact; floating-point numbers are not. */
function amountOf({ dueUnits, asset }: Order): string {
  return `${formatUnits(BigInt(dueUnits), asset.decimals)} ${asset.symbol}`;
}
