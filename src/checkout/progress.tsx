import type { JSX } from 'preact';
import type { Order, OrderStatus } from './api.ts';
import { type Asked, isOver, isUnderWay, isUnwatched, needsClaim } from './asked.ts';
import { CLAIM_WORDS, EXCEPTION_WORDS, ORDER_WORDS, UNDER_WAY_WORDS, UNWATCHED_WORDS, type Words } from './words.ts';

const STEPS = ['Sent', 'Seen', 'Confirmed'] as const;

/** How many of the steps an order has behind it; null of one that does not get there. */
const DONE: Readonly<Record<OrderStatus, number | null>> = {
  CREATED: 0,
  DETECTED: 0,
  CONFIRMING: 2,
  PAID: 3,
  FINAL: 3,
  EXPIRED: null,
  CANCELED: null,
  FAILED: null,
};

/** Where the payment is, in words that are read out whenever they change. */
export function Progress({ order, asked }: { readonly order: Order; readonly asked: Asked | undefined }): JSX.Element {
  const { status, exceptions } = order;
  const { title, text } = wordsOf(order, asked);
  const isSent = isUnderWay(order, asked) && asked.hash !== undefined;
  const done = isOver(order) ? null : isSent ? 1 : DONE[status];
  return (
    <div class={`progress ${status.toLowerCase()}`}>
      <div role="status">
        <h2>{title}</h2>
        <p>{text}</p>
        {exceptions.map((exception) => (
          <p key={exception} class="strong">
            {EXCEPTION_WORDS[exception]}
          </p>
        ))}
      </div>
      {done !== null && (
        <ol class="steps" aria-label="How far it has come">
          {STEPS.map((step, index) => (
            <li key={step} class={index < done ? 'done' : undefined} aria-current={index === done ? 'step' : undefined}>
              {step}
              {index < done && <span class="unseen">, done</span>}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** What is under way is told before what the gateway knows, which is less; and what cannot go on by itself is not said to. */
function wordsOf(order: Order, asked: Asked | undefined): Words {
  const { status } = order;
  if (isOver(order)) return ORDER_WORDS.EXPIRED;
  if (isUnwatched(order)) return UNWATCHED_WORDS;
  const isClaimed = needsClaim(order);
  if (isUnderWay(order, asked)) {
    if (asked.hash === undefined) return UNDER_WAY_WORDS.asking;
    return isClaimed ? CLAIM_WORDS.sent : UNDER_WAY_WORDS.sent;
  }
  if (isClaimed && (status === 'CREATED' || status === 'DETECTED')) return CLAIM_WORDS[status];
  return ORDER_WORDS[status];
}
