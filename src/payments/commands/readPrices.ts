import { zeroAddress } from 'viem';
import { findAssets, type KnownAsset } from '../../chain/commands/findAssets.ts';
import { chainErrors } from '../../chain/errors.ts';
import { storedCaip19 } from '../../chain/model.ts';
import type { Context } from '../../context.ts';
import { toUnits } from '../../kernel/money.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import type { Pricing } from '../model/linkTerms.ts';

const MAX_ACCEPTS = 20;
const MAX_LINE_ITEMS = 50;
const MOST_OF_ONE = 1_000_000;

/** One way to pay a link, as it is asked for; amounts are in whole tokens. */
export interface AcceptInput {
  /** A CAIP-19 name. */
  readonly asset: string;
  /** Of a fixed price; line items come to theirs by themselves. */
  readonly amount?: string | null | undefined;
  readonly minAmount?: string | null | undefined;
  readonly maxAmount?: string | null | undefined;
  /** What all orders in this asset may ask for together. */
  readonly maxTotal?: string | null | undefined;
  readonly payTo: string;
}

/** One thing that is bought, with its price for one in each asset. */
export interface LineItemInput {
  readonly title: string;
  readonly description?: string | null | undefined;
  readonly quantity: number;
  readonly prices: readonly { readonly asset: string; readonly amount: string }[];
}

/** What is to be paid, and how. */
export interface PricesInput {
  readonly pricing?: Pricing | null | undefined;
  readonly accepts: readonly AcceptInput[];
  readonly lineItems?: readonly LineItemInput[] | null | undefined;
}

/** One way to pay a link, in base units. */
export interface Accept {
  readonly asset: KnownAsset;
  /** Null where the payer chooses between the least and the most. */
  readonly units: bigint | null;
  readonly minUnits: bigint | null;
  readonly maxUnits: bigint | null;
  readonly maxTotalUnits: bigint | null;
  readonly payTo: string;
}

/** A line item as it stands in the link; prices by the asset's id, as texts of digits. */
export interface LineItem {
  readonly title: string;
  readonly description: string | null;
  readonly quantity: number;
  readonly prices: Readonly<Record<string, string>>;
}

/** What is to be paid, as it is stored. */
export interface Prices {
  readonly pricing: Pricing;
  readonly accepts: readonly Accept[];
  readonly lineItems: readonly LineItem[];
}

/**
 * What is asked for, in base units; everything that can be known without asking who may do it.
 * @throws ACCEPTS_INVALID, LINE_ITEMS_INVALID, ASSET_UNKNOWN, AMOUNT_INVALID, PAYEE_REFUSED
 */
export async function readPrices(context: Context, input: PricesInput): Promise<Prices> {
  const pricing = input.pricing ?? 'FIXED';
  const names = input.accepts.map(({ asset }) => storedCaip19(asset));
  if (names.length < 1 || names.length > MAX_ACCEPTS || new Set(names).size < names.length) {
    throw paymentErrors.ACCEPTS_INVALID({ actual: names.length });
  }
  const assets = await findAssets(context, names);
  const given = input.lineItems ?? [];
  const most = pricing === 'LINE_ITEMS' ? MAX_LINE_ITEMS : 0;
  if (given.length > most || (most > 0 && given.length === 0)) {
    throw paymentErrors.LINE_ITEMS_INVALID({ pricing, expected: most === 0 ? 'none' : `1 to ${most}` });
  }
  const accepted = input.accepts.map((accept, index) => {
    const asset = assets.get(names[index] ?? '');
    if (!asset) throw chainErrors.ASSET_UNKNOWN({ asset: accept.asset });
    if (accept.payTo === zeroAddress || accept.payTo === asset.address) {
      throw paymentErrors.PAYEE_REFUSED({ payTo: accept.payTo });
    }
    return { ...accept, name: names[index] ?? '', known: asset };
  });
  const lineItems = given.map((item) => readLineItem(item, accepted));
  const accepts = accepted.map((accept) => readAccept(accept, pricing, lineItems));
  return { pricing, lineItems, accepts };
}

interface Accepted extends AcceptInput {
  /** The CAIP-19 name as it is stored. */
  readonly name: string;
  readonly known: KnownAsset;
}

function readAccept(accept: Accepted, pricing: Pricing, lineItems: readonly LineItem[]): Accept {
  const { known: asset, payTo, maxTotal } = accept;
  const maxTotalUnits = maxTotal == null ? null : unitsOf(accept, maxTotal);
  const [units, minUnits, maxUnits] = priceOf(accept, pricing, lineItems);
  const least = units ?? minUnits ?? 0n;
  if (maxTotalUnits !== null && maxTotalUnits < least) {
    throw paymentErrors.AMOUNT_INVALID({ asset: accept.asset, amount: maxTotal ?? '', reason: 'LESS_THAN_ONE_ORDER' });
  }
  return { asset, units, minUnits, maxUnits, maxTotalUnits, payTo };
}

/** What is asked for, and between what the payer chooses. */
function priceOf(
  accept: Accepted,
  pricing: Pricing,
  lineItems: readonly LineItem[],
): readonly [units: bigint | null, least: bigint | null, most: bigint | null] {
  const { asset, amount = null, minAmount = null, maxAmount = null } = accept;
  const invalid = (reason: string): Error => paymentErrors.AMOUNT_INVALID({ asset, amount: amount ?? '', reason });
  if (pricing !== 'OPEN' && (minAmount !== null || maxAmount !== null)) throw invalid('NOT_OPEN');
  if (pricing === 'OPEN') {
    if (amount !== null || minAmount === null || maxAmount === null) throw invalid('NEEDS_MIN_AND_MAX');
    const least = unitsOf(accept, minAmount);
    const most = unitsOf(accept, maxAmount);
    if (least > most) throw invalid('MIN_ABOVE_MAX');
    return [null, least, most];
  }
  if (pricing === 'FIXED') {
    if (amount === null) throw invalid('MISSING');
    return [unitsOf(accept, amount), null, null];
  }
  const sum = lineItems.reduce(
    (total, { quantity, prices }) => total + BigInt(quantity) * BigInt(prices[accept.known.id] ?? 0),
    0n,
  );
  if (sum >= 2n ** 256n) throw invalid('TOO_LARGE');
  if (amount !== null && unitsOf(accept, amount) !== sum) throw invalid('NOT_THE_SUM');
  return [sum, null, null];
}

function readLineItem(item: LineItemInput, accepts: readonly Accepted[]): LineItem {
  const { quantity } = item;
  const title = cleanText(item.title, 'lineItems.title', { max: 200 });
  const description =
    item.description == null
      ? null
      : cleanText(item.description, 'lineItems.description', { max: 500, multiline: true });
  if (quantity < 1 || quantity > MOST_OF_ONE) {
    throw paymentErrors.LINE_ITEMS_INVALID({ title, expected: `a quantity of 1 to ${MOST_OF_ONE}` });
  }
  const given = new Map(item.prices.map(({ asset, amount }) => [storedCaip19(asset), amount]));
  if (given.size < item.prices.length || given.size !== accepts.length) {
    throw paymentErrors.LINE_ITEMS_INVALID({ title, expected: 'one price in each asset that is accepted' });
  }
  const prices = accepts.map((accept): [string, string] => {
    const amount = given.get(accept.name);
    if (amount === undefined) {
      throw paymentErrors.LINE_ITEMS_INVALID({ title, expected: `a price in ${accept.asset}` });
    }
    return [accept.known.id, unitsOf(accept, amount).toString()];
  });
  return { title, description, quantity, prices: Object.fromEntries(prices) };
}

function unitsOf({ asset, known: { decimals } }: Accepted, amount: string): bigint {
  const units = toUnits(amount, decimals);
  if (typeof units === 'bigint' && units > 0n) return units;
  const reason = units === 0n ? 'ZERO' : String(units);
  throw paymentErrors.AMOUNT_INVALID({ asset, amount, decimals, reason });
}
