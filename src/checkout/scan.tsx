import type { JSX } from 'preact';
import type { Chain, Order } from './api.ts';
import { Copy } from './copy.tsx';
import { trimDecimals } from './money.ts';
import type { PaymentRequest } from './pay.ts';

/** All that is needed to pay from somewhere else: to scan, to open in a wallet’s own app, or to type. */
export function Scan({
  order,
  request,
  chain,
  amount,
}: {
  readonly order: Order;
  readonly request: PaymentRequest;
  readonly chain: Chain | undefined;
  /** What is still to be sent, in whole ones. */
  readonly amount: string;
}): JSX.Element {
  const { asset } = order.due;
  const isPart = order.receivedUnits !== '0';
  const exact = order.matching === 'UNIQUE_AMOUNT' && !isPart;
  return (
    <div class="scan">
      <img
        class="code"
        src={`data:image/svg+xml,${encodeURIComponent(request.qr)}`}
        alt="QR code of this payment, for a wallet’s app"
        width="220"
        height="220"
      />
      <p>
        <a href={request.eip681}>Open in a wallet on this device</a>
      </p>
      {exact && (
        <p class="strong">
          Send exactly this amount: your payment is known by it. Where a fee is taken off, add it on top.
        </p>
      )}
      {order.matching === 'UNIQUE_AMOUNT' && isPart && (
        <p class="strong">Send the rest, and then tell the transaction below: a part is not known by its amount.</p>
      )}
      {order.matching === 'WALLET' && order.payer && (
        <p>Only from the wallet {order.payer}; what comes from another one is not known to be yours.</p>
      )}
      <dl>
        <dt>Amount</dt>
        <dd>
          {trimDecimals(amount)} {asset.symbol} <Copy text={trimDecimals(amount)} what="the amount" />
        </dd>
        <dt>To</dt>
        <dd>
          <code>{order.payTo}</code> <Copy text={order.payTo} what="the address" />
        </dd>
        <dt>Network</dt>
        <dd>
          {chain?.name ?? 'its own'} (chain {request.chainId})
        </dd>
        {asset.address && (
          <>
            <dt>Token</dt>
            <dd>
              <code>{asset.address}</code> <Copy text={asset.address} what="the token’s address" />
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
