import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Chain, Order } from './api.ts';
import { type Asked, isUnderWay } from './asked.ts';
import { CallOff } from './callOff.tsx';
import { Left } from './left.tsx';
import { showUnits } from './money.ts';
import { Scan } from './scan.tsx';
import { UnderWay } from './underWay.tsx';
import { useNow } from './useNow.ts';
import type { Paying } from './usePay.ts';
import { WalletButtons } from './walletButtons.tsx';

const LOOK_MS = 5_000;

/** What can be done while the payment is awaited. */
export function Open({
  order,
  asked,
  chain,
  paying,
  silent,
  look,
  onLeave,
}: {
  readonly order: Order;
  readonly asked: Asked | undefined;
  readonly chain: Chain | undefined;
  readonly paying: Paying;
  /** Whether nothing is heard of it, so that nothing is to be sent: it may be paid, or over. */
  readonly silent: boolean;
  readonly look: () => Promise<Order | null>;
  readonly onLeave: () => void;
}): JSX.Element | null {
  const { due, matching, paymentRequest, receivedUnits } = order;
  const { busy, pay } = paying;
  const [again, setAgain] = useState(false);
  const until = Date.parse(order.expiresAt);
  const now = useNow(true);
  const seemsOver = now >= until;
  // This device’s clock may be wrong: it says when to ask, and the gateway says whether it is over.
  useEffect(() => {
    if (!seemsOver) return;
    const ask = (): void => void look().catch(() => undefined);
    ask();
    const asking = setInterval(ask, LOOK_MS);
    return () => clearInterval(asking);
  }, [seemsOver, look]);
  if (!paymentRequest) return null;
  const amount = showUnits((BigInt(due.units) - BigInt(receivedUnits)).toString(), due.asset.decimals);
  const scan = <Scan order={order} request={paymentRequest} chain={chain} amount={amount} />;
  return (
    <>
      {!seemsOver && <Left until={until} now={now} />}
      {receivedUnits !== '0' && (
        <p class="strong">
          {showUnits(receivedUnits, due.asset.decimals)} {due.asset.symbol} arrived; {amount} {due.asset.symbol} are
          left to pay.
        </p>
      )}
      {isUnderWay(order, asked) && busy === null && !again ? (
        <UnderWay asked={asked} chain={chain} onAgain={() => setAgain(true)} />
      ) : (
        <>
          {matching !== 'WALLET' && scan}
          <WalletButtons
            verb={`Pay ${amount} ${due.asset.symbol} with`}
            busy={busy}
            disabled={silent}
            onChoose={(wallet) => {
              setAgain(false);
              void pay(wallet, order);
            }}
          />
          {matching === 'WALLET' && (
            <details>
              <summary>Pay with the same wallet on another device</summary>
              {scan}
            </details>
          )}
          {order.status === 'CREATED' && (
            <CallOff order={order} mayBeSent={asked !== undefined} disabled={busy !== null} onDone={onLeave} />
          )}
        </>
      )}
    </>
  );
}
