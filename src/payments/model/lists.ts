import { storedCaip19 } from '../../chain/model.ts';
import { cleanText } from '../../kernel/text.ts';
import type { LinkState } from './linkStatus.ts';
import type { Pricing } from './linkTerms.ts';

/** A condition as Prisma says it. */
type Condition = Readonly<Record<string, unknown>>;

interface Created {
  readonly createdFrom?: Date | null | undefined;
  readonly createdUntil?: Date | null | undefined;
}

/** Which links somebody looks for. */
export interface LinkFilter extends Created {
  readonly states?: readonly LinkState[] | null | undefined;
  readonly pricing?: readonly Pricing[] | null | undefined;
  readonly text?: string | null | undefined;
  /** A CAIP-19 name. */
  readonly asset?: string | null | undefined;
  /** A user's own id. */
  readonly createdBy?: string | null | undefined;
}

/** What all links have that are looked for; `linkStateAt` says the same of one. */
export function conditionsOfLinks(filter: LinkFilter, now: number): Condition[] {
  const { states, pricing, text, asset, createdBy } = filter;
  return [
    ...(states == null ? [] : [anyOf(states.map((state) => inState(state, new Date(now))))]),
    ...(pricing == null ? [] : [{ pricing: { in: [...pricing] } }]),
    ...(text == null ? [] : [{ OR: [contains('title', text), contains('slug', text)] }]),
    ...(asset == null ? [] : [{ accepts: { some: { asset: ofName(asset) } } }]),
    ...(createdBy == null ? [] : [{ createdById: createdBy }]),
    ...made(filter),
  ];
}

/** Of no alternatives none holds. */
function anyOf(alternatives: readonly Condition[]): Condition {
  return alternatives.length > 0 ? { OR: alternatives } : { id: { in: [] } };
}

function inState(state: LinkState, now: Date): Condition {
  const begun = { OR: [{ startsAt: null }, { startsAt: { lte: now } }] };
  const standing = { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  switch (state) {
    case 'ACTIVE':
      return { status: 'ACTIVE', exhausted: false, unproved: false, unwatched: false, AND: [begun, standing] };
    case 'SCHEDULED':
      return { status: 'ACTIVE', startsAt: { gt: now }, AND: [standing] };
    case 'EXPIRED':
      return { status: 'ACTIVE', expiresAt: { lte: now } };
    case 'EXHAUSTED':
      return { status: 'ACTIVE', exhausted: true, unproved: false, unwatched: false, AND: [begun, standing] };
    case 'PAYEE_NOT_PROVED':
      return { status: 'ACTIVE', unproved: true, unwatched: false, AND: [begun, standing] };
    case 'CHAIN_NOT_WATCHED':
      return { status: 'ACTIVE', unwatched: true, AND: [begun, standing] };
    default:
      return { status: state };
  }
}

/** Which orders somebody looks for. */
export interface OrderFilter extends Created {
  readonly statuses?: readonly string[] | null | undefined;
  readonly exceptions?: readonly string[] | null | undefined;
  readonly refunds?: readonly string[] | null | undefined;
  /** A link's own id. */
  readonly paymentLink?: string | null | undefined;
  readonly payer?: string | null | undefined;
  /** A CAIP-19 name. */
  readonly asset?: string | null | undefined;
  readonly minUnits?: bigint | null | undefined;
  readonly maxUnits?: bigint | null | undefined;
  readonly payTo?: string | null | undefined;
  readonly matching?: readonly string[] | null | undefined;
  /** The sixteen bytes that an order's calldata ends with, as hexadecimal digits. */
  readonly reference?: string | null | undefined;
}

/** What all orders have that are looked for. */
export function conditionsOfOrders(filter: OrderFilter): Condition[] {
  const { statuses, exceptions, refunds, paymentLink, payer, asset, minUnits, maxUnits } = filter;
  const { payTo, matching, reference } = filter;
  return [
    ...(statuses == null ? [] : [{ status: { in: [...statuses] } }]),
    ...(exceptions == null ? [] : [{ exceptions: { hasSome: [...exceptions] } }]),
    ...(refunds == null ? [] : [{ refund: { in: [...refunds] } }]),
    ...(paymentLink == null ? [] : [{ paymentLinkId: paymentLink }]),
    ...(payer == null ? [] : [{ payer }]),
    ...(asset == null ? [] : [{ asset: ofName(asset) }]),
    ...(minUnits == null ? [] : [{ dueUnits: { gte: minUnits.toString() } }]),
    ...(maxUnits == null ? [] : [{ dueUnits: { lte: maxUnits.toString() } }]),
    ...(payTo == null ? [] : [{ payTo }]),
    ...(matching == null ? [] : [{ matching: { in: [...matching] } }]),
    ...(reference == null ? [] : [{ reference: Buffer.from(reference.slice(2), 'hex') }]),
    ...made(filter),
  ];
}

/** Which transfers somebody looks for. */
export interface TransactionFilter extends Created {
  readonly hash?: string | null | undefined;
  readonly sender?: string | null | undefined;
  readonly recipient?: string | null | undefined;
  /** A CAIP-19 name. */
  readonly asset?: string | null | undefined;
  /** An order's own id, that it is credited to. */
  readonly paymentOrder?: string | null | undefined;
}

/** What all transfers have that are looked for. */
export function conditionsOfTransactions(filter: TransactionFilter): Condition[] {
  const { hash, sender, recipient, asset, paymentOrder } = filter;
  return [
    ...(hash == null ? [] : [{ hash: hash.toLowerCase() }]),
    ...(sender == null ? [] : [{ sender }]),
    ...(recipient == null ? [] : [{ recipient }]),
    ...(asset == null ? [] : [{ asset: ofName(asset) }]),
    ...(paymentOrder == null ? [] : [{ credits: { some: { paymentOrderId: paymentOrder } } }]),
    ...made(filter),
  ];
}

/** Which entries of the inbox somebody looks for. */
export interface UnmatchedFilter extends Created {
  readonly status?: readonly string[] | null | undefined;
  readonly reason?: readonly string[] | null | undefined;
  readonly sender?: string | null | undefined;
  readonly transactionHash?: string | null | undefined;
  /** A CAIP-19 name. */
  readonly asset?: string | null | undefined;
}

/** What all entries of the inbox have that are looked for. */
export function conditionsOfUnmatched(filter: UnmatchedFilter): Condition[] {
  const { status, reason, sender, transactionHash: hash, asset } = filter;
  const sent = conditionsOfTransactions({ sender, hash, asset });
  return [
    ...(status == null ? [] : [{ status: { in: [...status] } }]),
    ...(reason == null ? [] : [{ reason: { in: [...reason] } }]),
    ...(sent.length === 0 ? [] : [{ blockchainTransaction: { AND: sent } }]),
    ...made(filter),
  ];
}

/** Which refunds somebody looks for. */
export interface RefundFilter extends Created {
  readonly statuses?: readonly string[] | null | undefined;
  readonly causes?: readonly string[] | null | undefined;
  readonly destination?: string | null | undefined;
  /** A CAIP-19 name. */
  readonly asset?: string | null | undefined;
}

/** What all refunds have that are looked for. */
export function conditionsOfRefunds(filter: RefundFilter): Condition[] {
  const { statuses, causes, destination, asset } = filter;
  return [
    ...(statuses == null ? [] : [{ status: { in: [...statuses] } }]),
    ...(causes == null ? [] : [{ cause: { in: [...causes] } }]),
    ...(destination == null ? [] : [{ destination }]),
    ...(asset == null ? [] : [{ asset: ofName(asset) }]),
    ...made(filter),
  ];
}

/** Which words of providers somebody looks for. */
export interface ProviderFilter extends Created {
  readonly provider?: string | null | undefined;
  readonly reference?: string | null | undefined;
  readonly statuses?: readonly string[] | null | undefined;
  readonly kinds?: readonly string[] | null | undefined;
}

/** What all words of providers have that are looked for. */
export function conditionsOfProviderTransactions(filter: ProviderFilter): Condition[] {
  const { provider, reference, statuses, kinds } = filter;
  return [
    ...(provider == null ? [] : [{ provider: cleanText(provider, 'provider', { max: 40 }) }]),
    ...(reference == null ? [] : [{ reference: cleanText(reference, 'reference', { max: 200 }) }]),
    ...(statuses == null ? [] : [{ status: { in: [...statuses] } }]),
    ...(kinds == null ? [] : [{ kind: { in: [...kinds] } }]),
    ...made(filter),
  ];
}

function ofName(caip19: string): Condition {
  return { caip19: storedCaip19(cleanText(caip19, 'asset', { max: 200 })) };
}

/** A text that is looked for as it is: what stands for other letters is marked. */
function contains(column: string, text: string): Condition {
  const literal = cleanText(text, 'text', { max: 200 }).replace(/[\\%_]/g, '\\$&');
  return { [column]: { contains: literal, mode: 'insensitive' } };
}

function made({ createdFrom, createdUntil }: Created): Condition[] {
  return [
    ...(createdFrom == null ? [] : [{ createdAt: { gte: createdFrom } }]),
    ...(createdUntil == null ? [] : [{ createdAt: { lt: createdUntil } }]),
  ];
}
