import { kernelErrors } from '../../kernel/errors.ts';
import { cleanFlatObject, type JsonObject } from '../../kernel/json.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { type CustomField, type CustomFieldInput, cleanCustomFields } from './customFields.ts';

/** How a link says what is to be paid. */
export type Pricing = 'FIXED' | 'OPEN' | 'LINE_ITEMS';

/** What of a link is neither its price nor its status, as it is asked for: absent leaves it, null takes it away. */
export interface TermsInput {
  readonly title?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly orderLifetimeMinutes?: number | null | undefined;
  readonly startsAt?: Date | null | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly maxUses?: number | null | undefined;
  readonly maxPerWallet?: number | null | undefined;
  readonly toleranceBasisPoints?: number | null | undefined;
  readonly underPolicy?: 'HOLD' | 'ACCEPT' | 'REFUND' | null | undefined;
  readonly overPolicy?: 'KEEP' | 'REFUND' | null | undefined;
  readonly latePolicy?: 'HOLD' | 'ACCEPT' | 'REFUND' | null | undefined;
  readonly lateWindowMinutes?: number | null | undefined;
  readonly finality?: 'CONFIRMATIONS' | 'SAFE' | 'FINALIZED' | null | undefined;
  readonly finalityConfirmations?: number | null | undefined;
  readonly customFields?: readonly CustomFieldInput[] | null | undefined;
  readonly allowedPayers?: readonly string[] | null | undefined;
  readonly successUrl?: string | null | undefined;
  readonly cancelUrl?: string | null | undefined;
  readonly inactiveMessage?: string | null | undefined;
  readonly metadata?: JsonObject | null | undefined;
}

/** Columns of a link with what stands in them, as `jsonb_populate_record` reads it. */
export type LinkColumns = Readonly<
  Record<string, string | number | null | readonly string[] | readonly CustomField[] | JsonObject>
>;

const MINUTES_OF_A_MONTH = 43_200;
const MOST = 1_000_000;

/** What an absent number of a new link is. */
const DEFAULTS: LinkColumns = {
  description: null,
  order_lifetime_minutes: 60,
  starts_at: null,
  expires_at: null,
  max_uses: null,
  max_per_wallet: null,
  tolerance_basis_points: 0,
  under_policy: 'HOLD',
  over_policy: 'KEEP',
  late_policy: 'HOLD',
  late_window_minutes: 60,
  finality: null,
  finality_confirmations: null,
  custom_fields: [],
  allowed_payers: null,
  success_url: null,
  cancel_url: null,
  inactive_message: null,
  metadata: {},
};

/**
 * The columns of the terms that are given, cleaned; what is null gets what a new link without it has.
 * @param insecure whether payers may be sent on without TLS: in development
 * @throws BAD_USER_INPUT, FIELDS_INVALID
 */
export function cleanTerms(input: TermsInput, { insecure }: { readonly insecure: boolean }): LinkColumns {
  const whole = (name: string, value: number, [from, to]: readonly [number, number]): number => {
    if (value < from || value > to) throw refuse(name, `${from} to ${to}`, value);
    return value;
  };
  const columns: Record<string, LinkColumns[string]> = {};
  const take = <Value>(
    column: string,
    value: Value | null | undefined,
    clean: (value: Value) => LinkColumns[string],
  ) => {
    if (value !== undefined) columns[column] = value === null ? (DEFAULTS[column] ?? null) : clean(value);
  };
  const plain = (value: string): string => value;
  const number = (column: string, name: keyof TermsInput, range: readonly [number, number]): void =>
    take(column, input[name] as number | null | undefined, (value) => whole(name, value, range));
  if (input.title === null) throw refuse('title', 'a text', 'null');
  take('title', input.title, (text) => cleanText(text, 'title', { max: 200 }));
  take('description', input.description, (text) => cleanText(text, 'description', { max: 2000, multiline: true }));
  number('order_lifetime_minutes', 'orderLifetimeMinutes', [1, MINUTES_OF_A_MONTH]);
  take('starts_at', input.startsAt, (moment) => moment.toISOString());
  take('expires_at', input.expiresAt, (moment) => moment.toISOString());
  number('max_uses', 'maxUses', [1, MOST]);
  number('max_per_wallet', 'maxPerWallet', [1, MOST]);
  number('tolerance_basis_points', 'toleranceBasisPoints', [0, 1000]);
  take('under_policy', input.underPolicy, plain);
  take('over_policy', input.overPolicy, plain);
  take('late_policy', input.latePolicy, plain);
  number('late_window_minutes', 'lateWindowMinutes', [0, MINUTES_OF_A_MONTH]);
  Object.assign(columns, cleanFinality(input));
  take('custom_fields', input.customFields, cleanCustomFields);
  take('allowed_payers', input.allowedPayers, cleanPayers);
  take('success_url', input.successUrl, (url) => cleanUrl(url, 'successUrl', insecure));
  take('cancel_url', input.cancelUrl, (url) => cleanUrl(url, 'cancelUrl', insecure));
  take('inactive_message', input.inactiveMessage, (text) =>
    cleanText(text, 'inactiveMessage', { max: 500, multiline: true }),
  );
  take('metadata', input.metadata, (given) => cleanFlatObject(given, 'metadata'));
  checkWindow(columns);
  return columns;
}

/** The terms of a new link. */
export function newTerms(input: TermsInput, options: { readonly insecure: boolean }): LinkColumns {
  const columns = { ...DEFAULTS, ...cleanTerms(input, options) };
  checkWindow(columns);
  return columns;
}

/** What the database says as well; here it is told with a name. */
function checkWindow({ starts_at, expires_at }: LinkColumns): void {
  if (typeof starts_at === 'string' && typeof expires_at === 'string' && starts_at >= expires_at) {
    throw refuse('expiresAt', 'a moment after startsAt', expires_at);
  }
}

/** Confirmations are a number's matter, and what the chain itself says is not. */
function cleanFinality({ finality, finalityConfirmations }: TermsInput): LinkColumns {
  if (finality === undefined && finalityConfirmations == null) return {};
  const counted = finality === 'CONFIRMATIONS';
  if (counted !== (finalityConfirmations != null)) {
    throw refuse(
      'finalityConfirmations',
      'a number with CONFIRMATIONS, and none otherwise',
      String(finalityConfirmations),
    );
  }
  if (finalityConfirmations != null && (finalityConfirmations < 1 || finalityConfirmations > 1000)) {
    throw refuse('finalityConfirmations', '1 to 1000', finalityConfirmations);
  }
  return { finality: finality ?? null, finality_confirmations: finalityConfirmations ?? null };
}

function cleanPayers(payers: readonly string[]): readonly string[] {
  const distinct = [...new Set(payers)];
  if (distinct.length < 1 || distinct.length > 1000)
    throw refuse('allowedPayers', '1 to 1000 wallets', distinct.length);
  return distinct;
}

const AUTHORITY = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?\//;

/** An address to send a payer on to; whether it is the organization's is for the database to say. */
function cleanUrl(text: string, field: string, insecure: boolean): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  const sound = url && AUTHORITY.test(url.href) && !/[\\\s]/.test(url.href) && url.href.length <= 2000;
  if (!sound || url.username || url.password)
    throw refuse(field, 'an address such as https://shop.example.com/thanks', text);
  if (url.protocol !== 'https:' && !insecure) throw paymentErrors.REDIRECT_ORIGIN_REFUSED({ origin: url.origin });
  return url.href;
}

function refuse(field: string, expected: string, actual: string | number): Error {
  return kernelErrors.BAD_USER_INPUT({ field, expected, actual });
}

const SLUG = /^[a-z0-9-]{3,60}$/;

/**
 * A slug of one's own choice.
 * @throws BAD_USER_INPUT
 */
export function cleanLinkSlug(text: string): string {
  const slug = text.trim();
  if (!SLUG.test(slug)) throw refuse('slug', '3 to 60 of a to z, 0 to 9 and hyphens', slug);
  return slug;
}
