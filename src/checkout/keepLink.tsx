import type { JSX } from 'preact';
import { Copy } from './copy.tsx';
import { linkTo } from './kept.ts';

/** The way back to a payment, from its first moment on: the page itself may be closed, and money may take its time. */
export function KeepLink({ token }: { readonly token: string }): JSX.Element {
  const link = linkTo(token);
  return (
    <p class="quiet">
      To find this payment again, keep its link. Whoever has it can see the payment.{' '}
      {navigator.clipboard ? <Copy text={link} what="the link to this payment" /> : <code>{link}</code>}
    </p>
  );
}
