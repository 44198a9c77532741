import type { JSX } from 'preact';
import type { Accept, Chain } from './api.ts';
import { trimDecimals } from './money.ts';

/** The chain that an asset is on. */
export function chainOf(chains: readonly Chain[], caip19: string): Chain | undefined {
  const [, id] = /^eip155:(\d+)\//.exec(caip19) ?? [];
  return chains.find(({ chainId }) => String(chainId) === id);
}

/** Whether an order can be made in it at the moment. */
export function canBePaid(way: Pick<Accept, 'exhausted' | 'payeeProved' | 'chainWatched'>): boolean {
  return way.payeeProved && way.chainWatched && !way.exhausted;
}

/** What is paid in, where there is a choice. */
export function Ways({
  accepts,
  chains,
  chosen,
  onChoose,
}: {
  readonly accepts: readonly Accept[];
  readonly chains: readonly Chain[];
  readonly chosen: string;
  readonly onChoose: (caip19: string) => void;
}): JSX.Element | null {
  if (accepts.length < 2) return null;
  return (
    <fieldset class="ways">
      <legend>Pay in</legend>
      {accepts.map(({ asset, amount, ...way }) => (
        <label key={asset.caip19}>
          <input
            type="radio"
            name="way"
            value={asset.caip19}
            checked={asset.caip19 === chosen}
            disabled={!canBePaid(way)}
            onChange={() => onChoose(asset.caip19)}
          />
          <span>
            {amount !== null && `${trimDecimals(amount)} `}
            {asset.symbol} <span class="quiet">on {chainOf(chains, asset.caip19)?.name ?? 'its network'}</span>
            {!canBePaid(way) && <span class="quiet"> – not at the moment</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
