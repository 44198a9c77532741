import { watchAccounts } from '../../chain/commands/watchAccounts.ts';
import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentErrors } from '../errors.ts';
import { paymentLinkCreated } from '../events.ts';
import type { LinkStatus } from '../model/linkStatus.ts';
import { cleanLinkSlug, type LinkColumns, newTerms, type TermsInput } from '../model/linkTerms.ts';
import { newSlug } from '../model.ts';
import { checkContractPayees } from './checkContractPayees.ts';
import { explainLink } from './explainLink.ts';
import { insertAccepts } from './insertAccepts.ts';
import { type Prices, type PricesInput, readPrices } from './readPrices.ts';

/** The terms of a link, as they are asked for. */
export interface PaymentLinkInput<Link> extends TermsInput, PricesInput {
  readonly title: string;
  /** Of one's own choice; hard to guess when absent. */
  readonly slug?: string | null | undefined;
  /** `DRAFT`, or `ACTIVE` when absent. */
  readonly status?: LinkStatus | null | undefined;
  readonly idempotencyKey?: GivenKey | null;
  /** How the made link is read, in the packet that makes it. */
  readonly read: (tx: Pick<Transaction, 'paymentLink'>, id: string) => Deed<Link>;
}

/**
 * Makes a link that anybody may pay, or a draft of one. Each payee must be a wallet that a member who may write payments
 * has proved, a contract on the asset's own chain: the database refuses any other, and only then it is asked why.
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
  const status = readStatus(input.status);
  const terms = newTerms(input, { insecure: context.environment.NODE_ENV !== 'production' });
  const slug = input.slug == null ? newSlug() : cleanLinkSlug(input.slug);
  const prices = await readPrices(context, input);
  const { accepts } = prices;
  const id = newId();
  const fact = { organizationId, paymentLinkId: id, actor, title: String(terms.title), status };

  const make = async (
    record: (tx: Transaction) => readonly Deed[],
    check: (tx: Transaction) => readonly Deed[],
  ): Promise<{ link: Link }> => {
    const answers = await scope.write((tx) => [
      requireOrganizationStepUp(tx),
      ...record(tx),
      ...check(tx),
      insertLink(tx, { organizationId, id, slug, status, userId, terms, prices }),
      insertAccepts(tx, { organizationId, id, accepts }),
      watchAccounts(
        tx,
        accepts.map(({ asset: { chainId }, payTo }) => ({ chainId, address: payTo })),
      ),
      appendEvent(context, tx, paymentLinkCreated(fact)),
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
      isMoney: true,
    },
    (record) =>
      checkContractPayees(context, accepts, (check) => make(record, check)).catch((error: unknown) =>
        explainLink(context, accepts, error),
      ),
    async (made) => ({ link: await read(scope.db, made) }),
  ).catch((error: unknown) => {
    // keys are unique, too, and have been told apart before
    if (isUniqueViolation(error)) throw paymentErrors.LINK_SLUG_TAKEN({ slug });
    throw error;
  });
}

function readStatus(asked: LinkStatus | null | undefined): 'DRAFT' | 'ACTIVE' {
  if (asked == null || asked === 'ACTIVE') return 'ACTIVE';
  if (asked === 'DRAFT') return asked;
  throw kernelErrors.BAD_USER_INPUT({ field: 'status', expected: 'DRAFT or ACTIVE', actual: asked });
}

function insertLink(
  tx: Transaction,
  link: {
    readonly organizationId: string;
    readonly id: string;
    readonly slug: string;
    readonly status: LinkStatus;
    /** Null for an API key: whoever answers for it has made the link. */
    readonly userId: string | null;
    readonly terms: LinkColumns;
    readonly prices: Prices;
  },
): Deed {
  const { organizationId, id, slug, status, userId, terms, prices } = link;
  const columns = { ...terms, slug, status, pricing: prices.pricing, line_items: prices.lineItems };
  return tx.$executeRaw`
    /* createPaymentLink */
    with handle as (
      insert into handles (kind, value_hash, organization_id, target_id)
      values ('payment-link', ${sha256(slug)}::bytea, ${organizationId}::uuid, ${id}::uuid)
    )
    insert into payment_links (
      organization_id, id, slug, title, description, status, order_lifetime_minutes, pricing, line_items, starts_at,
      expires_at, max_uses, max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy,
      late_window_minutes, finality, finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url,
      inactive_message, metadata, created_by_id
    )
    select
      ${organizationId}::uuid, ${id}::uuid, slug, title, description, status, order_lifetime_minutes, pricing,
      line_items, starts_at, expires_at, max_uses, max_per_wallet, tolerance_basis_points, under_policy, over_policy,
      late_policy, late_window_minutes, finality, finality_confirmations, custom_fields, allowed_payers, success_url,
      cancel_url, inactive_message, metadata, coalesce(${userId}::uuid, current_responsible_id())
    from jsonb_populate_record(null::payment_links, ${JSON.stringify(columns)}::jsonb)`;
}
