import type { Person } from '../support/person.ts';
import type { AnsweredError } from '../support/tollhouse.ts';
import { type Market, TUSD } from './market.ts';

/** What a mutation was answered: a code where it was refused, with its facts. */
export interface Outcome<Data> {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
  readonly data: Data | null;
}

const codeOf = ([error]: readonly AnsweredError[]): string => error?.extensions.code ?? 'OK';

/** Asks the market's gateway, as the merchant unless somebody else is named; null is nobody. */
export async function ask<Data>(
  market: Market,
  query: string,
  variables: Record<string, unknown>,
  by: Person | null = market.merchant,
): Promise<Outcome<Data>> {
  const { data, errors } = await market.house.ask<Data>(query, variables, by ? { token: by.accessToken } : {});
  return { code: codeOf(errors), facts: errors[0]?.extensions.facts, data: errors.length > 0 ? null : data };
}

/** A link as the tests of its terms look at it. */
export interface ShownLink {
  readonly id: string;
  readonly slug: string;
  readonly [field: string]: unknown;
}

const TERMS = `id slug title description status effectiveStatus pricing orderLifetimeMinutes startsAt expiresAt maxUses
  maxPerWallet uses toleranceBasisPoints underPolicy overPolicy latePolicy lateWindowMinutes finality finalityConfirmations
  allowedPayers successUrl cancelUrl inactiveMessage metadata
  customFields { key label type required options maxLength min max }
  lineItems { title description quantity prices { asset amount units } }
  totals { asset total maxTotal }
  accepts { amount minAmount maxAmount exhausted asset { symbol } }`;

/** Makes a link for 12.5 TUSD to its maker, unless something else is said. */
export async function createLink(
  market: Market,
  input: Record<string, unknown> = {},
  by: Person = market.merchant,
): Promise<Outcome<ShownLink>> {
  const accepts = ((input.accepts as object[] | undefined) ?? [{ amount: '12.5' }]).map((accept) => ({
    asset: TUSD,
    payTo: by.account.address,
    ...accept,
  }));
  const { data, ...rest } = await ask<{ createPaymentLink: { paymentLink: ShownLink } }>(
    market,
    `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { ${TERMS} } } }`,
    { input: { title: 'Lunch', ...input, accepts } },
    by,
  );
  return { ...rest, data: data?.createPaymentLink.paymentLink ?? null };
}

/** The same, where it must not fail. */
export async function madeLink(market: Market, input: Record<string, unknown> = {}): Promise<ShownLink> {
  const { data, code, facts } = await createLink(market, input);
  if (!data) throw new Error(`No link was made: ${code} ${JSON.stringify(facts)}`);
  return data;
}

/** Changes a link. */
export async function updateLink(
  market: Market,
  paymentLinkId: string,
  change: Record<string, unknown>,
  by: Person | null = market.merchant,
): Promise<Outcome<ShownLink>> {
  const { data, ...rest } = await ask<{ updatePaymentLink: { paymentLink: ShownLink } }>(
    market,
    `mutation ($input: UpdatePaymentLinkInput!) { updatePaymentLink(input: $input) { paymentLink { ${TERMS} } } }`,
    { input: { paymentLinkId, ...change } },
    by,
  );
  return { ...rest, data: data?.updatePaymentLink.paymentLink ?? null };
}

/** Activates, pauses, archives or deletes a link; answers its status, or why not. */
export async function doToLink(
  market: Market,
  deed: 'activate' | 'pause' | 'archive' | 'delete',
  paymentLinkId: string,
  { by = market.merchant, key = null }: { readonly by?: Person | null; readonly key?: string | null } = {},
): Promise<string> {
  const name = `${deed[0]?.toUpperCase()}${deed.slice(1)}PaymentLinkInput`;
  const answer = deed === 'delete' ? 'paymentLinkId' : 'paymentLink { status }';
  const { code, data } = await ask<Record<string, { paymentLink?: { status: string } }>>(
    market,
    `mutation ($input: ${name}!) { ${deed}PaymentLink(input: $input) { ${answer} } }`,
    { input: { paymentLinkId, idempotencyKey: key } },
    by,
  );
  return data?.[`${deed}PaymentLink`]?.paymentLink?.status ?? code;
}

/** A payer that nobody else is. */
export function payerOf(number: number): string {
  return `0x${number.toString(16).padStart(40, 'a')}`;
}

const CREATE_ORDER = `mutation ($input: CreatePaymentOrderInput!) {
  createPaymentOrder(input: $input) { checkoutOrder {
    token status due { amount units } fieldValues lineItems { title quantity prices { asset amount } }
  } }
}`;

/** An order as its payer sees it. */
export interface ShownOrder {
  readonly token: string;
  readonly due: { readonly amount: string; readonly units: string };
  readonly [field: string]: unknown;
}

/** Begins to pay a link, without a session. */
export async function order(
  market: Market,
  slug: string,
  input: Record<string, unknown> = {},
): Promise<Outcome<ShownOrder>> {
  const { data, ...rest } = await ask<{ createPaymentOrder: { checkoutOrder: ShownOrder } }>(
    market,
    CREATE_ORDER,
    { input: { slug, payer: payerOf(1), ...input } },
    null,
  );
  return { ...rest, data: data?.createPaymentOrder.checkoutOrder ?? null };
}

/** Calls off an order by its token; answers the code. */
export async function cancelOrder(market: Market, token: string): Promise<string> {
  const query = `mutation ($input: CancelCheckoutOrderInput!) {
    cancelCheckoutOrder(input: $input) { checkoutOrder { status } }
  }`;
  return (await ask(market, query, { input: { token } }, null)).code;
}
