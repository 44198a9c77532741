import { zeroAddress } from 'viem';
import { findAssets, type KnownAsset } from '../../chain/commands/findAssets.ts';
import { watchAccounts } from '../../chain/commands/watchAccounts.ts';
import { chainErrors } from '../../chain/errors.ts';
import { storedCaip19 } from '../../chain/model.ts';
import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { toUnits } from '../../kernel/money.ts';
import { cleanText } from '../../kernel/text.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentErrors } from '../errors.ts';
import { paymentLinkCreated } from '../events.ts';
import { newSlug } from '../model.ts';

const MAX_ACCEPTS = 20;

/** The terms of a link, as they are asked for. */
export interface PaymentLinkInput<Link> {
  readonly title: string;
  readonly description?: string | null | undefined;
  readonly orderLifetimeMinutes?: number | null | undefined;
  readonly accepts: readonly {
    /** A CAIP-19 name. */
    readonly asset: string;
    /** In whole tokens. */
    readonly amount: string;
    readonly payTo: string;
  }[];
  readonly idempotencyKey?: GivenKey | null;
  /** How the made link is read, in the packet that makes it. */
  readonly read: (tx: Pick<Transaction, 'paymentLink'>, id: string) => Deed<Link>;
}

interface Accept {
  readonly asset: KnownAsset;
  readonly units: bigint;
  readonly payTo: string;
}

/**
 * Makes a link that anybody may pay. Each payee must be a wallet that a member who may write payments has proved, a
 * contract on the asset's own chain: the database refuses any other, and only then it is asked why.
 */
export async function createPaymentLink<Link>(
  context: Context,
  input: PaymentLinkInput<Link>,
): Promise<Done<{ readonly link: Link }>> {
  const { viewer, scope } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId, userId = null } = viewer;
  const actor = actorOf(viewer);
  const { idempotencyKey = null, read, ...variables } = input;
  const title = cleanText(input.title, 'title', { max: 200 });
  const description =
    input.description == null ? null : cleanText(input.description, 'description', { max: 2000, multiline: true });
  const lifetime = input.orderLifetimeMinutes ?? 60;
  if (lifetime < 1 || lifetime > 43_200) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'orderLifetimeMinutes', expected: '1 to 43200', actual: lifetime });
  }
  const accepts = await readAccepts(context, input.accepts);
  const id = newId();
  const slug = newSlug();

  const make = async (record: (tx: Transaction) => readonly Deed[]): Promise<{ link: Link }> => {
    const answers = await scope.write((tx) => [
      requireOrganizationStepUp(tx),
      ...record(tx),
      insertLink(tx, { organizationId, id, slug, title, description, lifetime, userId, accepts }),
      watchAccounts(
        tx,
        accepts.map(({ asset: { chainId }, payTo }) => ({ chainId, address: payTo })),
      ),
      appendEvent(context, tx, paymentLinkCreated({ organizationId, paymentLinkId: id, actor, title })),
      read(tx, id),
    ]);
    return { link: answers.at(-1) as Link };
  };
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: actor,
      operation: 'createPaymentLink',
      variables,
      resultId: id,
    },
    (record) => make(record).catch((error: unknown) => explain(context, accepts, error)),
    async (made) => ({ link: await read(scope.db, made) }),
  );
}

/** What is asked for, in base units; everything that can be known without asking who may do it. */
async function readAccepts(context: Context, asked: PaymentLinkInput<unknown>['accepts']): Promise<Accept[]> {
  const names = asked.map(({ asset }) => storedCaip19(asset));
  if (names.length < 1 || names.length > MAX_ACCEPTS || new Set(names).size < names.length) {
    throw paymentErrors.ACCEPTS_INVALID({ actual: names.length });
  }
  const assets = await findAssets(context, names);
  return asked.map(({ asset: name, amount, payTo }, index) => {
    const asset = assets.get(names[index] ?? '');
    if (!asset) throw chainErrors.ASSET_UNKNOWN({ asset: name });
    const { address, decimals } = asset;
    const units = toUnits(amount, decimals);
    if (typeof units !== 'bigint' || units === 0n) {
      const reason = units === 0n ? 'ZERO' : String(units);
      throw paymentErrors.AMOUNT_INVALID({ asset: name, amount, decimals, reason });
    }
    if (payTo === zeroAddress || payTo === address) throw paymentErrors.PAYEE_REFUSED({ payTo });
    return { asset, units, payTo };
  });
}

function insertLink(
  tx: Transaction,
  link: {
    readonly organizationId: string;
    readonly id: string;
    readonly slug: string;
    readonly title: string;
    readonly description: string | null;
    readonly lifetime: number;
    /** Null for an API key: whoever answers for it has made the link. */
    readonly userId: string | null;
    readonly accepts: readonly Accept[];
  },
): Deed {
  const { organizationId, id, accepts } = link;
  return tx.$executeRaw`
    /* createPaymentLink */
    with accepts as (
      insert into payment_link_accepts (organization_id, payment_link_id, position, asset_id, units, pay_to)
      select ${organizationId}::uuid, ${id}::uuid, place - 1, asset_id, units, pay_to
      from unnest(
        ${accepts.map(({ asset }) => asset.id)}::uuid[],
        ${accepts.map(({ units }) => units.toString())}::numeric[],
        ${accepts.map(({ payTo }) => payTo)}::text[]
      ) with ordinality as asked (asset_id, units, pay_to, place)
    ),
    handle as (
      insert into handles (kind, value_hash, organization_id, target_id)
      values ('payment-link', ${sha256(link.slug)}::bytea, ${organizationId}::uuid, ${id}::uuid)
    )
    insert into payment_links (
      organization_id, id, slug, title, description, order_lifetime_minutes, created_by_id
    )
    values (
      ${organizationId}::uuid, ${id}::uuid, ${link.slug}, ${link.title}, ${link.description}, ${link.lifetime},
      coalesce(${link.userId}::uuid, current_responsible_id())
    )`;
}

/** What the database's refusal was about: the permission to write, or a payee that nobody has proved. */
async function explain(context: Context, accepts: readonly Accept[], error: unknown): Promise<never> {
  if (!(error instanceof GatewayError) || error.code !== 'FORBIDDEN') throw error;
  const payees = accepts.map(({ payTo }) => payTo);
  const chains = accepts.map(({ asset }) => asset.chainId);
  const found = await context.scope.db.$queryRaw<{ permitted: boolean; unproved: string | null }[]>`
    /* explainRefusal */
    select
      has_permission('payments:write') as permitted,
      (
        select pay_to
        from unnest(${payees}::text[], ${chains}::bigint[]) as asked (pay_to, chain_id)
        where not is_proved_payee(pay_to, chain_id)
        limit 1
      ) as unproved`;
  const [{ permitted, unproved } = { permitted: true, unproved: null }] = found;
  if (!permitted) throw kernelErrors.FORBIDDEN({ permission: 'payments:write' });
  if (unproved !== null) throw paymentErrors.PAYEE_NOT_PROVED({ payTo: unproved });
  throw error;
}
