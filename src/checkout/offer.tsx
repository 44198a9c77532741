import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { TollhouseError } from '../client/tollhouseError.ts';
import { type Accept, BeginOrder, type Chain, type Link, type Matching } from './api.ts';
import { collect, Fields, type Said } from './fields.tsx';
import { gateway, sayFault } from './gateway.ts';
import { Items } from './items.tsx';
import type { Kept } from './kept.ts';
import { readAmount, trimDecimals } from './money.ts';
import { Fault } from './notice.tsx';
import { connect } from './pay.ts';
import { Title } from './title.tsx';
import { WalletButtons } from './walletButtons.tsx';
import type { Wallet } from './wallets.ts';
import { canBePaid, chainOf, Ways } from './ways.tsx';

/** What a link asks for, and the ways to pay it. */
export function Offer({
  link,
  chains,
  reached,
  onBegin,
  onChange,
}: {
  readonly link: Link;
  readonly chains: readonly Chain[];
  /** Whether somebody has left a payment for it just now. */
  readonly reached: boolean;
  /** A payment was begun; with a wallet it is to be asked at once. */
  readonly onBegin: (kept: Kept, wallet?: Wallet) => void;
  /** The link asks for something else by now, and is to be read again. */
  readonly onChange: () => Promise<void>;
}): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const [way, setWay] = useState(() => (link.accepts.find(canBePaid) ?? link.accepts[0])?.asset.caip19);
  const [typed, setTyped] = useState('');
  const [said, setSaid] = useState<Said>({});
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const accept = link.accepts.find(({ asset }) => asset.caip19 === way);
  if (!accept || way === undefined) return <p>There is no way to pay here.</p>;
  const { asset } = accept;
  const amount = link.pricing === 'OPEN' ? readAmount(typed) : accept.amount;

  const begin = async (name: string, matching: Matching, wallet?: Wallet): Promise<void> => {
    if (!form.current?.reportValidity()) return;
    setBusy(name);
    setFault(null);
    try {
      if (link.pricing === 'OPEN' && amount === null) throw new AmountFault();
      const payer = wallet ? await connect(wallet.provider) : null;
      const { createPaymentOrder } = await gateway.mutate(BeginOrder, {
        input: {
          slug: link.slug,
          asset: way,
          matching,
          payer,
          // what was shown: nobody pays another price than they have read
          amount,
          fields: collect(link.fields, said),
        },
      });
      onBegin({ token: createPaymentOrder.checkoutOrder.token }, wallet);
    } catch (error) {
      setFault(await sayAll(error));
      setBusy(null);
    }
  };

  const sayAll = async (error: unknown): Promise<string> => {
    if (error instanceof AmountFault) return 'Say how much you want to pay, with digits and a point.';
    if (!(error instanceof TollhouseError) || error.code !== 'AMOUNT_REFUSED' || link.pricing === 'OPEN') {
      return sayFault(error, link.fields);
    }
    // what is shown is what counts, and it must be the new price before this is read
    await onChange().catch(() => undefined);
    return 'The price has changed meanwhile, and nothing was paid. Look at it again.';
  };

  return (
    <section class="card">
      <Title text={link.title} reached={reached} />
      {link.description && <p class="description">{link.description}</p>}
      <Items items={link.lineItems} asset={asset} />
      <form ref={form} onSubmit={(event) => event.preventDefault()}>
        <Ways accepts={link.accepts} chains={chains} chosen={way} onChoose={setWay} />
        {link.pricing === 'OPEN' ? (
          <Amount accept={accept} typed={typed} onType={setTyped} />
        ) : (
          <p class="amount">
            {trimDecimals(accept.amount ?? '')} {asset.symbol}
          </p>
        )}
        <p class="quiet">
          on {chainOf(chains, way)?.name ?? 'its network'}
          {chainOf(chains, way)?.testnet && ', a test network: its coins are worth nothing'}
        </p>
        <Fields fields={link.fields} by={link.organizationName} said={said} onSay={setSaid} />
      </form>
      <Fault text={fault} />
      <WalletButtons
        verb={`Pay${amount === null ? '' : ` ${trimDecimals(amount)} ${asset.symbol}`} with`}
        busy={busy}
        onChoose={(wallet) => void begin(wallet.id, 'WALLET', wallet)}
      />
      <button type="button" class="second" disabled={busy !== null} onClick={() => void begin('scan', 'UNIQUE_AMOUNT')}>
        Pay from a phone or an exchange
      </button>
      <details>
        <summary>Neither of these?</summary>
        <p>
          Send it from wherever you like, and tell us the transaction afterwards. The wallet that sends it has to sign.
        </p>
        <button type="button" class="second" disabled={busy !== null} onClick={() => void begin('claim', 'CLAIM')}>
          Send it, and tell the transaction
        </button>
      </details>
      {link.cancelUrl && (
        <p>
          <a href={link.cancelUrl} rel="noreferrer">
            Back without paying
          </a>
        </p>
      )}
    </section>
  );
}

class AmountFault extends Error {}

function Amount({
  accept,
  typed,
  onType,
}: {
  readonly accept: Accept;
  readonly typed: string;
  readonly onType: (typed: string) => void;
}): JSX.Element {
  const { minAmount, maxAmount, asset } = accept;
  const bounds = [
    minAmount !== null && `at least ${trimDecimals(minAmount)}`,
    maxAmount !== null && `at most ${trimDecimals(maxAmount)}`,
  ].filter((bound) => bound !== false);
  return (
    <div class="field">
      <label for="amount">How much, in {asset.symbol}</label>
      <input
        id="amount"
        type="text"
        inputMode="decimal"
        autocomplete="off"
        required
        value={typed}
        aria-describedby={bounds.length > 0 ? 'bounds' : undefined}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      {bounds.length > 0 && (
        <p id="bounds" class="quiet">
          {bounds.join(', ')} {asset.symbol}
        </p>
      )}
    </div>
  );
}
