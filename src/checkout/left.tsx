import type { JSX } from 'preact';
import { sayLeft, showLeft } from './time.ts';

/** How long it can still be paid. A screen reader is told the minutes, when it comes there, and is not interrupted. */
export function Left({ until, now }: { readonly until: number; readonly now: number }): JSX.Element {
  return (
    <p class="left">
      <span aria-hidden="true">{showLeft(until, now)} left to pay</span>
      <span class="unseen">{sayLeft(until, now)}</span>
    </p>
  );
}
