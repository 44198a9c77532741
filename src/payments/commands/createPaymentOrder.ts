import { lockChain } from '../../chain/commands/lockChain.ts';
import { chainErrors } from '../../chain/errors.ts';
import { caip19Of, MAX_SECONDS_BEHIND, storedCaip19 } from '../../chain/model.ts';
import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { showAddress } from '../../kernel/address.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { paymentErrors } from '../errors.ts';
import { paymentOrderCreated } from '../events.ts';
import { type FieldValues, readFieldValues } from '../model/customFields.ts';
import { linkStateAt } from '../model/linkStatus.ts';
import type { Matching } from '../model/matching.ts';
import { newOrderToken, newReference } from '../model.ts';
import { explainOrder } from './explainOrder.ts';
import { findPayableLink, type PayableLink, type Terms } from './findPayableLink.ts';
import { readMatching } from './readMatching.ts';
import { readPrice } from './readPrice.ts';
import { takeAmount } from './takeAmount.ts';

/** What a payer chooses. */
export interface PaymentOrderInput {
  readonly slug: string;
  /** A CAIP-19 name; needed when the link accepts several. */
  readonly asset?: string | null | undefined;
  readonly payer?: string | null | undefined;
  /** How the payment is to be known; by the payer where one is named, else by its amount. */
  readonly matching?: Matching | null | undefined;
  /** In whole tokens; where the payer chooses what to pay. */
  readonly amount?: string | null | undefined;
  /** What the link asks for, by the keys of its fields. */
  readonly fields?: JsonObject | null | undefined;
  readonly idempotencyKey?: GivenKey | null;
}

/**
 * Begins one attempt to pay a link, without a session; the token that it answers is all the payer needs to keep. The
 * database has the token's hash alone, so a repeated key is answered with a further token of the same order.
 */
export async function createPaymentOrder(
  context: Context,
  input: PaymentOrderInput,
): Promise<Done<{ readonly token: string }>> {
  const { idempotencyKey = null, ...variables } = input;
  const id = newId();
  const token = newOrderToken();
  const scope = context.handleScope('payment-link', input.slug);
  const link = await findPayableLink(scope.db);
  const { organizationId } = link;
  const isOwn = await asksForItself(context, organizationId);
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: `link:${link.id}`,
      operation: 'createPaymentOrder',
      variables,
      resultId: id,
      isMoney: true,
    },
    async (record) => {
      await scope
        .transaction(async (tx) => {
          // First of all, so that a link which was closed since does not keep a repeated key from its order.
          for (const deed of record(tx)) await deed;
          const chosen = readOrder(context, link, input);
          const { terms, price, matching, payer } = chosen;
          await limitOrders(context, tx, link, isOwn);
          const chain = await holdChain(tx, terms.chainId);
          const units = await takeAmount(tx, { ...terms, price, matching });
          await insertOrder(context, tx, { id, link, chain, units, ...chosen });
          await nameOrder(tx, { organizationId, orderId: id, token });
          const { asset, payTo } = terms;
          const about = { organizationId, paymentOrderId: id, paymentLinkId: link.id };
          const fact = { ...about, matching, asset, price, units, payTo, payer };
          await appendEvent(context, tx, paymentOrderCreated(fact));
        })
        .catch((error: unknown) => explainOrder(link, error));
      return { token };
    },
    async (orderId) => {
      await scope.transaction(async (tx) => {
        await limitTokens(context, tx, orderId);
        await nameOrder(tx, { organizationId, orderId, token });
      });
      return { token };
    },
  );
}

interface ChosenTerms {
  readonly terms: Terms;
  readonly matching: Matching;
  readonly payer: string | null;
  readonly price: bigint;
  readonly fieldValues: FieldValues;
}

/** What the payer chose of what the link offers. */
function readOrder({ clock }: Context, link: PayableLink, input: PaymentOrderInput): ChosenTerms {
  const { inactiveMessage: message } = link;
  const status = linkStateAt(link, clock.now());
  // whether somebody stands for the payee that is chosen is asked when the order is there
  if (status !== 'ACTIVE' && status !== 'EXHAUSTED' && status !== 'PAYEE_NOT_PROVED') {
    throw paymentErrors.LINK_INACTIVE({ status, ...(message !== null && { message }) });
  }
  if (link.exhausted) throw paymentErrors.LINK_EXHAUSTED();
  const terms = choose(link.accepts, input.asset ?? null);
  if (terms.unwatched) throw chainErrors.CHAIN_NOT_WATCHED({ chainId: terms.chainId });
  const price = readPrice(terms, input.amount ?? null);
  const fieldValues = readFieldValues(link.customFields, input.fields ?? {});
  return { terms, ...readMatching(terms, input), price, fieldValues };
}

function insertOrder(
  context: Context,
  tx: Transaction,
  order: ChosenTerms & {
    readonly id: string;
    readonly link: PayableLink;
    readonly chain: HeldChain;
    /** The price, with what tells it from others or others from it. */
    readonly units: bigint;
  },
): Deed {
  const { id, link, chain, terms, matching, payer, price, units, fieldValues } = order;
  return tx.$executeRaw`
    /* createPaymentOrder */
    insert into payment_orders (
      organization_id, id, payment_link_id, incarnation_id, asset_id, matching, due_units, surcharge_units, pay_to, payer,
      reference, head_number, client_hash, field_values
    )
    values (
      ${link.organizationId}::uuid, ${id}::uuid, ${link.id}::uuid, ${chain.incarnationId}::uuid,
      ${terms.assetId}::uuid, ${matching}::payment_matching, ${units.toString()}::numeric,
      ${(units - price).toString()}::numeric, ${terms.payTo}, ${payer}, ${newReference()}::bytea, ${chain.headNumber}, ${clientHash(context)}::bytea,
      ${JSON.stringify(fieldValues)}::jsonb
    )`;
}

/** Gives an order a token by which it is found. */
function nameOrder(tx: Transaction, order: { organizationId: string; orderId: string; token: string }): Deed {
  return tx.$executeRaw`
    /* nameOrder */
    insert into handles (kind, value_hash, organization_id, target_id)
    values ('payment-order', ${sha256(order.token)}::bytea, ${order.organizationId}::uuid, ${order.orderId}::uuid)`;
}

function choose(accepts: readonly Terms[], asked: string | null): Terms {
  const [first, ...others] = accepts;
  if (!first) throw paymentErrors.LINK_INACTIVE({ status: 'NOTHING_ACCEPTED' });
  const assets = accepts.map(({ chainId, token }) => caip19Of(chainId, token && showAddress(token)));
  if (asked === null) {
    if (others.length > 0) throw paymentErrors.ASSET_REQUIRED({ assets });
    return first;
  }
  const chosen = accepts.find(({ asset }) => asset === storedCaip19(asked));
  if (!chosen) throw paymentErrors.ASSET_NOT_ACCEPTED({ asset: asked, assets });
  return chosen;
}

function clientHash({ client }: Context): Buffer<ArrayBuffer> {
  return sha256(`client ${client.limitKey}`);
}

/**
 * Counting and adding are one step: the count holds a lock on this client's orders of this link, of one with few uses no
 * more than its share of them. What the organization is asked for in a minute is counted beside it, and counts only where
 * an order comes of it. Whoever may write the organization's payments asks for its customers, and is no one client.
 */
async function limitOrders(context: Context, tx: Transaction, link: PayableLink, isOwn: boolean): Promise<void> {
  const {
    LIMIT_OPEN_ORDERS_PER_CLIENT: perClient,
    LIMIT_ORDERS_PER_ORGANIZATION_PER_MINUTE: allowed,
    TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: unlimited,
  } = context.environment;
  if (unlimited) return;
  const byOrganization = sha256(`orders organization ${link.organizationId}`);
  const [{ open, most, wait }] = await tx.$queryRaw<[{ open: number; most: number; wait: number }]>`
    /* limitOrders */
    select
      count_open_orders(${link.id}::uuid, ${clientHash(context)}::bytea) as open,
      most_open_orders(${link.id}::uuid, ${perClient}::int) as most,
      take_rate_limit(${byOrganization}::bytea, ${allowed}::int, 60) as wait`;
  if (open >= most && !isOwn) throw kernelErrors.RATE_LIMITED({ open, limit: most }, { retryAfter: 60 });
  if (wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: wait }, { retryAfter: wait });
}

async function asksForItself({ viewer, scope }: Context, organizationId: string): Promise<boolean> {
  if (viewer?.organizationId !== organizationId) return false;
  const [may] = await scope.db.$queryRaw<[{ permitted: boolean }]>`
    /* mayWritePayments */
    select has_permission('payments:write') as permitted`;
  return may.permitted;
}

/** A key that is repeated for ever makes no rows for ever. */
async function limitTokens(
  { environment: { LIMIT_OPEN_ORDERS_PER_CLIENT: most, TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: unlimited } }: Context,
  tx: Transaction,
  orderId: string,
): Promise<void> {
  if (unlimited) return;
  const [{ wait }] = await tx.$queryRaw<[{ wait: number }]>`
    /* limitTokens */
    select take_rate_limit(${sha256(`tokens order ${orderId}`)}::bytea, ${most}::int, 3600) as wait`;
  if (wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: wait }, { retryAfter: wait });
}

interface HeldChain {
  readonly incarnationId: string;
  readonly headNumber: bigint;
}

/** Keeps the chain's head where it is until the order is in, so that no block that could pay it is missed. */
async function holdChain(tx: Transaction, chainId: number): Promise<HeldChain> {
  await lockChain(tx, chainId, 'shared');
  const [chain] = await tx.$queryRaw<(HeldChain & { watched: boolean })[]>`
    /* holdChain */
    select
      i.id as "incarnationId",
      i.head_number as "headNumber",
      i.halt_reason is null
        and i.head_number is not null
        and i.caught_up_at > clock_timestamp() - make_interval(secs => ${MAX_SECONDS_BEHIND}::int) as watched
    from chain_incarnations i
    where i.chain_id = ${chainId} and i.current`;
  if (!chain?.watched) throw chainErrors.CHAIN_UNAVAILABLE({ chainId }, { retryAfter: 30 });
  return chain;
}
