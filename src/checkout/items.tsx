import type { JSX } from 'preact';
import type { LineItem } from './api.ts';
import { times, trimDecimals } from './money.ts';

/** What is bought, and what each costs in one asset. */
export function Items({
  items,
  asset,
}: {
  readonly items: readonly LineItem[];
  readonly asset: { readonly caip19: string; readonly symbol: string };
}): JSX.Element | null {
  if (items.length === 0) return null;
  return (
    <table class="items">
      <caption class="unseen">What is bought</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">Item</th>
          <th scope="col">Price</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ title, description, quantity, prices }, index) => {
          // an address may be written with capitals or without
          const price = prices.find((one) => one.asset.toLowerCase() === asset.caip19.toLowerCase());
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same thing may stand there twice, and nothing moves
            <tr key={index}>
              <th scope="row">
                {quantity > 1 && `${quantity} × `}
                {title}
                {description && <small>{description}</small>}
              </th>
              <td>{price && `${trimDecimals(times(price.amount, quantity))} ${asset.symbol}`}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
