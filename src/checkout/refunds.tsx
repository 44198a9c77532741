import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ConfirmRefund, type Order, ReadRefundText, type Refund } from './api.ts';
import { gateway, sayFault } from './gateway.ts';
import { shorten, trimDecimals } from './money.ts';
import { Fault } from './notice.tsx';
import { connect, sign } from './pay.ts';
import { WalletButtons } from './walletButtons.tsx';
import type { Wallet } from './wallets.ts';
import { REFUND_WORDS } from './words.ts';

interface Shown {
  readonly order: Order;
  readonly onSaid: (order: Order) => void;
}

/** What goes back to the payer, and where to, which the wallet that has paid says. */
export function Refunds({ order, onSaid }: Shown): JSX.Element | null {
  if (order.refunds.length === 0) return null;
  return (
    <section class="refunds" aria-labelledby="refunds">
      <h2 id="refunds">Back to you</h2>
      <ul>
        {order.refunds.map((refund) => (
          <li key={refund.id}>
            <p role="status">
              {trimDecimals(refund.amount)} {refund.asset.symbol} {REFUND_WORDS[refund.status]}
              {refund.destination && `, to ${shorten(refund.destination)}`}.
            </p>
            {refund.status === 'REQUESTED' && <Destination order={order} refund={refund} onSaid={onSaid} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

const ADDRESS = /^0x[0-9a-f]{40}$/i;

/** Nothing is filled in: where the money came from may be an exchange, which would not know whose it is. */
function Destination({ order, refund, onSaid }: Shown & { readonly refund: Refund }): JSX.Element {
  const { token } = order;
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const destination = typed.trim() as `0x${string}`;
  const id = `destination-${refund.id}`;
  const confirm = async ({ id: wallet, provider }: Wallet): Promise<void> => {
    if (!ADDRESS.test(destination)) return setFault('An address is 0x and 40 more digits and letters.');
    setBusy(wallet);
    setFault(null);
    try {
      const signer = await connect(provider);
      const { checkoutOrder } = await gateway.query(ReadRefundText, { token, destination });
      const message = checkoutOrder?.refunds.find((one) => one.id === refund.id)?.message;
      if (!message) throw new Error('The gateway has no text for that refund.');
      const signature = await sign(provider, signer, message);
      const input = { token, refundId: refund.id, destination, signer, signature };
      const { confirmRefundDestination } = await gateway.mutate(ConfirmRefund, { input });
      onSaid(confirmRefundDestination.checkoutOrder);
    } catch (error) {
      setFault(sayFault(error));
      setBusy(null);
    }
  };
  return (
    <>
      <div class="field">
        <label for={id}>The address that it is to go to</label>
        <input
          id={id}
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="0x…"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      <p class="quiet">It is said once, and cannot be changed. The wallet that has paid signs it.</p>
      <Fault text={fault} />
      <WalletButtons verb="Sign with" busy={busy} onChoose={(wallet) => void confirm(wallet)} />
    </>
  );
}
