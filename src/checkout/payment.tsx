import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Chain, Link, Order } from './api.ts';
import { type Asked, isOpen, isOver, isUnwatched } from './asked.ts';
import { Claim } from './claim.tsx';
import { Items } from './items.tsx';
import { KeepLink } from './keepLink.tsx';
import type { Kept } from './kept.ts';
import { trimDecimals } from './money.ts';
import { Fault, Notice } from './notice.tsx';
import { Open } from './open.tsx';
import { Progress } from './progress.tsx';
import { Receipt } from './receipt.tsx';
import { Refunds } from './refunds.tsx';
import { Title } from './title.tsx';
import { AllTheSame } from './underWay.tsx';
import { type Followed, useOrder } from './useOrder.ts';
import { usePay } from './usePay.ts';
import { useTold } from './useTold.ts';
import type { Wallet } from './wallets.ts';
import { chainOf } from './ways.tsx';
import { UNKNOWN } from './words.ts';

/** How often it is asked whether its chain is watched, which no change of it tells. */
const LOOK_MS = { watched: 60_000, unwatched: 5_000 } as const;

const LOST = 'The connection was lost; it is being made again.';

interface Shown {
  readonly slug: string;
  readonly link: Link;
  readonly chains: readonly Chain[];
  readonly kept: Kept;
  /** Takes the wallet that is to be asked as soon as the payment is there; it is there once. */
  readonly takeFirst: () => Wallet | null;
  /** Whether it was begun on this page just now. */
  readonly reached: boolean;
  readonly onAsk: (asked: Asked | null) => void;
  readonly onLeave: () => void;
}

/** One attempt to pay, from its first moment to its receipt. */
export function Payment(shown: Shown): JSX.Element {
  const followed = useOrder(shown.slug, shown.kept.token);
  const { order, silent } = followed;
  if (order === undefined) {
    return <p role="status">{silent ? LOST : 'Looking up your payment …'}</p>;
  }
  if (order === null) {
    return (
      <Notice words={UNKNOWN}>
        <button type="button" onClick={shown.onLeave}>
          Begin again
        </button>
      </Notice>
    );
  }
  return <Attempt {...shown} {...followed} order={order} />;
}

type Found = Shown & Followed & { readonly order: Order };

function Attempt(found: Found): JSX.Element {
  const { link, chains, kept, takeFirst, reached, onAsk, onLeave, order, silent, look, take } = found;
  const { asked } = kept;
  const chain = chainOf(chains, order.due.asset.caip19);
  const tell = useTold(kept.token, asked, onAsk);
  const paying = usePay({
    chain,
    asked,
    look,
    onAsk: (now) => {
      onAsk(now);
      tell(now);
    },
  });
  const isFirst = useRef(true);
  useEffect(() => {
    const wallet = isFirst.current ? takeFirst() : null;
    isFirst.current = false;
    if (wallet && asked === undefined) void paying.pay(wallet, order);
  });
  const isAwaited = isOpen(order);
  const isHeld = isUnwatched(order);
  useEffect(() => {
    if (!isAwaited && !isHeld) return;
    const pause = isHeld ? LOOK_MS.unwatched : LOOK_MS.watched;
    const asking = setInterval(() => void look().catch(() => undefined), pause);
    return () => clearInterval(asking);
  }, [isAwaited, isHeld, look]);
  const isPaid = order.status === 'PAID' || order.status === 'FINAL';
  const isDone = isPaid || order.status === 'CONFIRMING';
  return (
    <section class="card">
      <Title text={link.title} reached={reached} />
      <p class="amount">
        {trimDecimals(order.due.amount)} {order.due.asset.symbol}
      </p>
      <Items items={order.lineItems} asset={order.due.asset} />
      <Progress order={order} asked={asked} />
      {silent && (
        <p role="status" class="quiet">
          {LOST}
        </p>
      )}
      <Fault text={paying.fault} />
      {isAwaited && kept.isGiven && !asked && <Given link={link} onLeave={onLeave} />}
      {isAwaited && <Open {...{ order, asked, chain, paying, silent, look, onLeave }} />}
      {!isAwaited && !isHeld && !isDone && asked && <AllTheSame asked={asked} chain={chain} />}
      {(isAwaited || isOver(order) || order.status === 'EXPIRED') && (
        <Claim order={order} sent={asked?.hash} onClaimed={take} />
      )}
      <Refunds order={order} onSaid={take} />
      {isPaid && <Receipt link={link} order={order} chain={chain} />}
      <KeepLink token={order.token} />
      {!isAwaited && !isDone && <Leave link={link} onLeave={onLeave} />}
    </section>
  );
}

/** A link may have been given by somebody who wants something of their own paid. */
function Given({ link, onLeave }: Pick<Shown, 'link' | 'onLeave'>): JSX.Element {
  return (
    <>
      <p class="strong">
        A link led to this payment, so that somebody else may have begun it: what they bought is theirs, whoever pays.
        If it was not you, pay one of your own.
      </p>
      {link.effectiveStatus === 'ACTIVE' && (
        <button type="button" class="second" onClick={onLeave}>
          Begin one of my own
        </button>
      )}
    </>
  );
}

function Leave({ link, onLeave }: Pick<Shown, 'link' | 'onLeave'>): JSX.Element {
  return (
    <>
      {link.effectiveStatus === 'ACTIVE' && (
        <button type="button" onClick={onLeave}>
          Begin again
        </button>
      )}
      {link.cancelUrl && (
        <a href={link.cancelUrl} rel="noreferrer">
          Back to the merchant
        </a>
      )}
    </>
  );
}
