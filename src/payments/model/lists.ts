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
      return { status: 'ACTIVE', exhausted: false, AND: [begun, standing] };
    case 'SCHEDULED':
      return { status: 'ACTIVE', startsAt: { gt: now }, AND: [standing] };
    case 'EXPIRED':
      return { status: 'ACTIVE', expiresAt: { lte: now } };
    case 'EXHAUSTED':
      return { status: 'ACTIVE', exhausted: true, AND: [begun, standing] };
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
}

/** What all orders have that are looked for. */
export function conditionsOfOrders(filter: OrderFilter): Condition[] {
  const { statuses, exceptions, refunds, paymentLink, payer, asset, minUnits, maxUnits } = filter;
  return [
    ...(statuses == null ? [] : [{ status: { in: [...statuses] } }]),
    ...(exceptions == null ? [] : [{ exceptions: { hasSome: [...exceptions] } }]),
    ...(refunds == null ? [] : [{ refund: { in: [...refunds] } }]),
    ...(paymentLink == null ? [] : [{ paymentLinkId: paymentLink }]),
    ...(payer == null ? [] : [{ payer }]),
    ...(asset == null ? [] : [{ asset: ofName(asset) }]),
    ...(minUnits == null ? [] : [{ dueUnits: { gte: minUnits.toString() } }]),
    ...(maxUnits == null ? [] : [{ dueUnits: { lte: maxUnits.toString() } }]),
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
