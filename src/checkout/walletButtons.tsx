import type { JSX } from 'preact';
import { useWallets, type Wallet } from './wallets.ts';

/** A button for each wallet of this browser. */
export function WalletButtons(shown: {
  /** What pressing one does, as `Pay 5 USDC with`. */
  readonly verb: string;
  /** The wallet that is being asked, if one is. */
  readonly busy: string | null;
  readonly disabled?: boolean;
  readonly onChoose: (wallet: Wallet) => void;
}): JSX.Element {
  const { verb, busy, disabled = false, onChoose } = shown;
  const wallets = useWallets();
  if (wallets.length === 0) return <p class="quiet">No wallet was found in this browser.</p>;
  return (
    <div class="wallets">
      {wallets.map((wallet) => (
        <button
          key={wallet.id}
          type="button"
          disabled={disabled || busy !== null}
          aria-busy={busy === wallet.id}
          onClick={() => onChoose(wallet)}
        >
          {wallet.icon && <img src={wallet.icon} alt="" width="24" height="24" />}
          {busy === wallet.id ? `Look at ${wallet.name} …` : `${verb} ${wallet.name}`}
        </button>
      ))}
    </div>
  );
}
