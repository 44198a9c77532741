import { useEffect, useRef, useState } from 'preact/hooks';
import type { Chain, Order } from './api.ts';
import { type Asked, isOpen, isUnwatched } from './asked.ts';
import { sayFault } from './gateway.ts';
import { shorten } from './money.ts';
import { connect, type PaymentRequest, send, switchTo, WalletError } from './pay.ts';
import { type Provider, useWallets, type Wallet } from './wallets.ts';

/** Paying with a wallet of this browser, and how that goes. */
export interface Paying {
  /** The wallet that is being asked. */
  readonly busy: string | null;
  readonly fault: string | null;
  pay(wallet: Wallet, order: Order): Promise<void>;
}

/**
 * Lets a wallet send what an order asks for.
 * @param given.look reads the order as it is at that moment
 * @param given.asked what a wallet was asked for it before
 * @param given.onAsk is told what a wallet is asked for, and again with what it has sent; null once that came to nothing
 */
export function usePay(given: {
  readonly chain: Chain | undefined;
  readonly asked: Asked | undefined;
  readonly look: () => Promise<Order | null>;
  readonly onAsk: (asked: Asked | null) => void;
}): Paying {
  const { chain, asked: before, look, onAsk } = given;
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  useFailure(before, () => {
    onAsk(null);
    setFault('The network has refused that transaction, so that nothing was paid. You can pay again.');
  });
  const payWith = async ({ provider, rdns }: Wallet, order: Order): Promise<void> => {
    if (!chain) throw new WalletError('There is nothing to be sent for this payment.');
    const account = await prepare(provider, order, chain);
    // however long the wallet took until here: nothing is sent for what is not awaited any more
    const now = await look();
    const request = stillAsked(order, now);
    const asked = { receivedUnits: order.receivedUnits, wallet: rdns };
    onAsk(asked);
    try {
      const hash = await send(provider, account, request);
      onAsk({ ...asked, hash });
    } catch (error) {
      if (!(error instanceof WalletError && error.maySend)) onAsk(before ?? null);
      throw error;
    }
  };
  return {
    busy,
    fault,
    async pay(wallet, order) {
      setBusy(wallet.id);
      setFault(null);
      try {
        await payWith(wallet, order);
      } catch (error) {
        setFault(sayFault(error));
      }
      setBusy(null);
    },
  };
}

/** Has the wallet show its account, and come to the chain. */
async function prepare(provider: Provider, { payer, matching }: Order, chain: Chain): Promise<string> {
  const account = await connect(provider);
  if (matching === 'WALLET' && payer?.toLowerCase() !== account.toLowerCase()) {
    throw new WalletError(
      `This payment is for the wallet ${shorten(payer ?? '')}, and you are using ${shorten(account)}. Choose that one in your wallet, or pay in another way.`,
    );
  }
  await switchTo(provider, chain);
  return account;
}

/** The request that the payer has seen, where it is the gateway's still. */
function stillAsked({ paymentRequest: seen }: Order, now: Order | null): PaymentRequest {
  const request = now?.paymentRequest;
  if (now && isUnwatched(now)) throw new WalletError('Nothing was sent: nothing can be paid on this network just now.');
  if (!now || !request || !isOpen(now)) {
    throw new WalletError('Nothing was sent: this payment takes nothing any more.');
  }
  const isSame = (['chainId', 'to', 'value', 'data'] as const).every((key) => seen?.[key] === request[key]);
  if (!isSame) throw new WalletError('Nothing was sent: what is left to pay has changed. Look at it again.');
  return request;
}

const LOOK_MS = 2_000;
const LOOKS = 30;

/** Says when the chain took what a wallet has sent and did nothing by it, on the next page too. */
function useFailure(asked: Asked | undefined, say: () => void): void {
  const hash = asked?.hash;
  const provider = useWallets().find(({ rdns }) => rdns === asked?.wallet)?.provider;
  const now = useRef(say);
  now.current = say;
  useEffect(() => {
    if (!provider || hash === undefined) return;
    const leaving = new AbortController();
    void hasFailed(provider, hash, leaving.signal).then((failed) => {
      if (failed && !leaving.signal.aborted) now.current();
    });
    return () => leaving.abort();
  }, [provider, hash]);
}

/** Whether the chain took the transaction and did nothing by it; what was paid the gateway tells. */
async function hasFailed(provider: Provider, hash: string, signal: AbortSignal): Promise<boolean> {
  for (let look = 0; look < LOOKS && !signal.aborted; look += 1) {
    const receipt = await provider.request({ method: 'eth_getTransactionReceipt', params: [hash] }).catch(() => null);
    const status = (receipt as { status?: unknown } | null)?.status;
    if (status !== undefined) return Number(status) === 0;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return false;
}
