/** A line item as it stands in a link, with prices by the asset's id; or in an order, with the price in its asset. */
interface StoredLineItem {
  readonly title: string;
  readonly description?: string | null;
  readonly quantity: number;
  readonly prices?: Readonly<Record<string, string>>;
  readonly units?: string;
}

interface PricedAsset {
  readonly id: string;
  readonly caip19: string;
  readonly decimals: number;
}

/** One thing that is bought, with what one of it costs. */
interface PricedLineItem {
  readonly title: string;
  readonly description: string | null;
  readonly quantity: number;
  readonly prices: readonly { readonly caip19: string; readonly decimals: number; readonly units: bigint }[];
}

/** Reads line items as they are stored; prices in other assets than these are passed over. */
export function readLineItems(stored: unknown, assets: readonly PricedAsset[]): readonly PricedLineItem[] {
  return (stored as readonly StoredLineItem[]).map(({ title, description = null, quantity, prices, units }) => ({
    title,
    description,
    quantity,
    prices: assets.flatMap(({ id, caip19, decimals }) => {
      const price = prices?.[id] ?? units;
      return price === undefined ? [] : [{ caip19, decimals, units: BigInt(price) }];
    }),
  }));
}
