import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ClaimPayment, type Order, ReadClaimText } from './api.ts';
import { needsClaim } from './asked.ts';
import { gateway, sayFault } from './gateway.ts';
import { Fault } from './notice.tsx';
import { connect, sign } from './pay.ts';
import { WalletButtons } from './walletButtons.tsx';
import type { Wallet } from './wallets.ts';

const HASH = /^0x[0-9a-f]{64}$/i;

/** For a payment that nobody could know to be this one: its transaction, and a signature of whoever has sent it. */
export function Claim({
  order,
  sent,
  onClaimed,
}: {
  readonly order: Order;
  /** The transaction that a wallet of this page has sent for it; it need not be typed. */
  readonly sent: string | undefined;
  readonly onClaimed: (order: Order) => void;
}): JSX.Element {
  const { token } = order;
  const isAsked = needsClaim(order);
  const [typed, setTyped] = useState<string | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const hash = (typed ?? sent ?? '').trim();
  const claim = async ({ id, provider }: Wallet): Promise<void> => {
    if (!HASH.test(hash)) return setFault('A transaction is 0x and 64 more digits and letters; your wallet shows it.');
    setBusy(id);
    setFault(null);
    try {
      const account = await connect(provider);
      const { checkoutOrder } = await gateway.query(ReadClaimText, { token, hash: hash as `0x${string}` });
      if (!checkoutOrder?.claimMessage) throw new Error('The gateway has no text for that claim.');
      const signature = await sign(provider, account, checkoutOrder.claimMessage);
      const input = { token, transactionHash: hash as `0x${string}`, signature };
      const { claimPayment } = await gateway.mutate(ClaimPayment, { input });
      if (claimPayment.checkoutOrder) onClaimed(claimPayment.checkoutOrder);
      setTyped(null);
    } catch (error) {
      setFault(sayFault(error));
    }
    setBusy(null);
  };
  return (
    <details class="claim" open={isAsked}>
      <summary>{isAsked ? 'Tell the transaction' : 'I have sent it, and it is not shown here'}</summary>
      <div class="field">
        <label for="transaction">The transaction that you have sent</label>
        <input
          id="transaction"
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="0x…"
          value={typed ?? sent ?? ''}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      <p class="quiet">The wallet that has sent it signs that it was for this payment. Signing costs nothing.</p>
      <Fault text={fault} />
      <WalletButtons verb="Sign with" busy={busy} onChoose={(wallet) => void claim(wallet)} />
    </details>
  );
}
