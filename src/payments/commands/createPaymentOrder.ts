import { zeroAddress } from 'viem';
import { lockChain } from '../../chain/commands/lockChain.ts';
import { chainErrors } from '../../chain/errors.ts';
import { caip19Of, MAX_SECONDS_BEHIND, storedCaip19 } from '../../chain/model.ts';
import type { Context } from '../../context.ts';
import type { Deed, Scope, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { showAddress } from '../../kernel/address.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { paymentErrors } from '../errors.ts';
import { paymentOrderCreated } from '../events.ts';
import { newOrderToken, newReference } from '../model.ts';

/** What a payer chooses. */
export interface PaymentOrderInput {
  readonly slug: string;
  /** A CAIP-19 name; needed when the link accepts several. */
  readonly asset?: string | null | undefined;
  readonly payer?: string | null | undefined;
  readonly idempotencyKey?: GivenKey | null;
}

/** The terms of a link that an order copies. */
interface Terms {
  readonly assetId: string;
  readonly chainId: number;
  readonly asset: string;
  readonly token: string | null;
  readonly units: bigint;
  readonly payTo: string;
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
  const link = await findLink(scope.db);
  const { organizationId } = link;
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: `link:${link.id}`,
      operation: 'createPaymentOrder',
      variables,
      resultId: id,
    },
    async (record) => {
      await scope
        .transaction(async (tx) => {
          // First of all, so that a link which was closed since does not keep a repeated key from its order.
          for (const deed of record(tx)) await deed;
          const { terms, payer } = readOrder(link, input);
          await limitOrders(context, tx, link);
          const chain = await holdChain(tx, terms.chainId);
          await insertOrder(context, tx, { id, link, chain, terms, payer });
          await nameOrder(tx, { organizationId, orderId: id, token });
          const { asset, units } = terms;
          const fact = { organizationId, paymentOrderId: id, paymentLinkId: link.id, asset, units, payer };
          await appendEvent(context, tx, paymentOrderCreated(fact));
        })
        .catch(explain);
      return { token };
    },
    async (orderId) => {
      await scope.write((tx) => [nameOrder(tx, { organizationId, orderId, token })]);
      return { token };
    },
  );
}

/** A payer may do nothing but by the link: it has gone since it was found, or its organization has. */
function explain(error: unknown): never {
  if (error instanceof GatewayError && error.code === 'FORBIDDEN') {
    throw paymentErrors.LINK_NOT_FOUND({}, { cause: error });
  }
  throw error;
}

/** What the payer chose of what the link offers. */
function readOrder(link: FoundLink, input: PaymentOrderInput): { terms: Terms; payer: string } {
  if (link.status !== 'ACTIVE') throw paymentErrors.LINK_INACTIVE({ status: link.status });
  const terms = choose(link.accepts, input.asset ?? null);
  const payer = input.payer ?? null;
  if (payer === null) throw paymentErrors.PAYER_REQUIRED();
  // New tokens come from the zero address, and a token’s own transfers are anybody’s.
  if ([zeroAddress, terms.payTo, terms.token].includes(payer)) throw paymentErrors.PAYER_REFUSED({ payer });
  return { terms, payer };
}

function insertOrder(
  context: Context,
  tx: Transaction,
  order: {
    readonly id: string;
    readonly link: FoundLink;
    readonly chain: HeldChain;
    readonly terms: Terms;
    readonly payer: string;
  },
): Deed {
  const { id, link, chain, terms, payer } = order;
  return tx.$executeRaw`
    /* createPaymentOrder */
    insert into payment_orders (
      organization_id, id, payment_link_id, incarnation_id, asset_id, matching, due_units, pay_to, payer, reference,
      required_confirmations, head_number, client_hash, expires_at
    )
    values (
      ${link.organizationId}::uuid, ${id}::uuid, ${link.id}::uuid, ${chain.incarnationId}::uuid,
      ${terms.assetId}::uuid, 'WALLET', ${terms.units.toString()}::numeric, ${terms.payTo}, ${payer},
      ${newReference()}::bytea, ${chain.confirmations}, ${chain.headNumber}, ${clientHash(context)}::bytea,
      transaction_timestamp() + make_interval(mins => ${link.orderLifetimeMinutes}::int)
    )`;
}

/** Gives an order a token by which it is found. */
function nameOrder(tx: Transaction, order: { organizationId: string; orderId: string; token: string }): Deed {
  return tx.$executeRaw`
    /* nameOrder */
    insert into handles (kind, value_hash, organization_id, target_id)
    values ('payment-order', ${sha256(order.token)}::bytea, ${order.organizationId}::uuid, ${order.orderId}::uuid)`;
}

interface FoundLink {
  readonly organizationId: string;
  readonly id: string;
  readonly status: string;
  readonly orderLifetimeMinutes: number;
  readonly accepts: readonly Terms[];
}

/** The only link that this scene can see: the one whose slug the payer came with. */
async function findLink(db: Scope['db']): Promise<FoundLink> {
  const link = await db.paymentLink.findFirst({
    select: {
      organizationId: true,
      id: true,
      status: true,
      orderLifetimeMinutes: true,
      accepts: {
        orderBy: { position: 'asc' },
        select: {
          units: true,
          payTo: true,
          asset: { select: { id: true, chainId: true, caip19: true, address: true } },
        },
      },
    },
  });
  if (!link) throw paymentErrors.LINK_NOT_FOUND();
  const accepts = link.accepts.map(({ asset, units, payTo }) => ({
    assetId: asset.id,
    chainId: Number(asset.chainId),
    asset: asset.caip19,
    token: asset.address,
    units: BigInt(units?.toFixed() ?? 0),
    payTo,
  }));
  return { ...link, accepts };
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
 * Counting and adding are one step: the count holds a lock on this client's orders of this link. What the organization
 * is asked for in a minute is counted beside it, and counts only where an order comes of it.
 */
async function limitOrders(context: Context, tx: Transaction, link: FoundLink): Promise<void> {
  const {
    LIMIT_OPEN_ORDERS_PER_CLIENT: limit,
    LIMIT_ORDERS_PER_ORGANIZATION_PER_MINUTE: allowed,
    TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: unlimited,
  } = context.environment;
  if (unlimited) return;
  const byOrganization = sha256(`orders organization ${link.organizationId}`);
  const [{ open, wait }] = await tx.$queryRaw<[{ open: number; wait: number }]>`
    /* limitOrders */
    select
      count_open_orders(${link.id}::uuid, ${clientHash(context)}::bytea) as open,
      take_rate_limit(${byOrganization}::bytea, ${allowed}::int, 60) as wait`;
  if (open >= limit) throw kernelErrors.RATE_LIMITED({ open, limit }, { retryAfter: 60 });
  if (wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: wait }, { retryAfter: wait });
}

interface HeldChain {
  readonly incarnationId: string;
  readonly headNumber: bigint;
  readonly confirmations: number;
}

/** Keeps the chain's head where it is until the order is in, so that no block that could pay it is missed. */
async function holdChain(tx: Transaction, chainId: number): Promise<HeldChain> {
  await lockChain(tx, chainId, 'shared');
  const [chain] = await tx.$queryRaw<(HeldChain & { watched: boolean })[]>`
    /* holdChain */
    select
      i.id as "incarnationId",
      i.head_number as "headNumber",
      c.confirmations,
      i.halt_reason is null
        and i.head_number is not null
        and i.caught_up_at > clock_timestamp() - make_interval(secs => ${MAX_SECONDS_BEHIND}::int) as watched
    from chain_incarnations i
    join chains c on c.chain_id = i.chain_id
    where i.chain_id = ${chainId} and i.current`;
  if (!chain?.watched) throw chainErrors.CHAIN_UNAVAILABLE({ chainId }, { retryAfter: 30 });
  return chain;
}
