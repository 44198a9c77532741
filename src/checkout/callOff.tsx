import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { CancelOrder, type Order } from './api.ts';
import { gateway, sayFault } from './gateway.ts';
import { Fault } from './notice.tsx';

/** Calls a payment off to pay in another way; where something may be on its way for it, not before its payer has read that. */
export function CallOff({
  order,
  mayBeSent,
  disabled,
  onDone,
}: {
  readonly order: Order;
  /** Whether a wallet was asked to send something for it. */
  readonly mayBeSent: boolean;
  readonly disabled: boolean;
  readonly onDone: () => void;
}): JSX.Element {
  const [fault, setFault] = useState<string | null>(null);
  const [wanted, setWanted] = useState(false);
  const callOff = (): void => {
    setFault(null);
    gateway.mutate(CancelOrder, { token: order.token }).then(onDone, (error: unknown) => setFault(sayFault(error)));
  };
  const isSure = order.matching === 'WALLET' && !mayBeSent;
  return (
    <>
      <Fault text={fault} />
      {wanted && (
        <p role="status" class="strong">
          This calls the payment off. If you have sent something for it already, do not: an exchange may take a while,
          and what comes for a payment that was called off is not counted by itself.
        </p>
      )}
      <button
        type="button"
        class="second"
        disabled={disabled}
        onClick={() => (isSure || wanted ? callOff() : setWanted(true))}
      >
        {wanted ? 'I have sent nothing: call it off' : 'Pay in another way'}
      </button>
    </>
  );
}
