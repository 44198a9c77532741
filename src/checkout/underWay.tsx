import type { JSX } from 'preact';
import type { Chain } from './api.ts';
import type { Asked } from './asked.ts';
import { Copy } from './copy.tsx';
import { Hash } from './hash.tsx';

interface Shown {
  readonly asked: Asked;
  readonly chain: Chain | undefined;
}

/** What a wallet has sent, or is asked to send: it is not to be paid twice. */
export function UnderWay({ asked, chain, onAgain }: Shown & { readonly onAgain: () => void }): JSX.Element {
  const { hash } = asked;
  return (
    <>
      {hash === undefined ? (
        <p>Your wallet may still be asking you to pay: look there first. What you approve there is sent.</p>
      ) : (
        <p>
          Your wallet has sent it: <Hash hash={hash} chain={chain} />
        </p>
      )}
      <details>
        <summary>{hash === undefined ? 'Is it not asking any more?' : 'Did it fail?'}</summary>
        <p>
          {hash === undefined
            ? 'If your wallet asks nothing and has sent nothing, you can pay again. If it has sent something, wait.'
            : 'If your wallet says that the transaction failed or was dropped, you can pay again. If not, wait.'}
        </p>
        <button type="button" class="second" onClick={onAgain}>
          Pay again
        </button>
      </details>
    </>
  );
}

/** What a wallet was asked for a payment that takes nothing any more. */
export function AllTheSame({ asked, chain }: Shown): JSX.Element {
  const { hash } = asked;
  if (hash === undefined) {
    return (
      <p class="strong">If your wallet still asks you to pay, refuse it there: this payment takes nothing any more.</p>
    );
  }
  return (
    <p class="strong">
      Your wallet has sent something for it: <Hash hash={hash} chain={chain} />{' '}
      <Copy text={hash} what="the transaction" />. It is not lost: the merchant sees it. Tell them this transaction.
    </p>
  );
}
