import { watchAccounts } from '../../chain/commands/watchAccounts.ts';
import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentLinkUpdated } from '../events.ts';
import { cleanTerms, type LinkColumns, type TermsInput } from '../model/linkTerms.ts';
import { checkContractPayees } from './checkContractPayees.ts';
import { explainLink } from './explainLink.ts';
import { holdLink } from './holdLink.ts';
import { insertAccepts } from './insertAccepts.ts';
import { type Prices, type PricesInput, readPrices } from './readPrices.ts';
import { tellOfLink } from './tellOfLink.ts';

/** What of a link is to change: what is absent stays, null takes it away. Prices are given as a whole. */
export interface PaymentLinkChange<Link> extends TermsInput, Partial<PricesInput> {
  /** The link's own id. */
  readonly id: string;
  readonly idempotencyKey: GivenKey | null;
  readonly read: (tx: Pick<Transaction, 'paymentLink'>, id: string) => Deed<Link>;
}

/**
 * Changes the terms that orders copy from now on; those that are there keep theirs. One packet; what is limited from now
 * on is counted in it, while no order of the link is made or given up.
 * @throws PAYMENT_LINK_NOT_FOUND, LINK_STATUS_REFUSED, and what `createPaymentLink` throws
 */
export async function updatePaymentLink<Link>(
  context: Context,
  input: PaymentLinkChange<Link>,
): Promise<Done<{ readonly link: Link }>> {
  const { viewer, scope } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  const actor = actorOf(viewer);
  const { id, idempotencyKey, read, ...change } = input;
  const terms = cleanTerms(change, { insecure: context.environment.NODE_ENV !== 'production' });
  const prices = await readNewPrices(context, change);
  const accepts = prices?.accepts ?? [];
  const payees = accepts.map(({ asset: { chainId }, payTo }) => ({ chainId, address: payTo }));
  const given = (name: string): boolean => change[name as keyof typeof change] !== undefined;
  const fields = Object.keys(change).filter(given).sort();
  if (fields.length === 0) throw kernelErrors.BAD_USER_INPUT({ field: 'input', expected: 'something to change' });

  const save = async (
    record: (tx: Transaction) => readonly Deed[],
    check: (tx: Transaction) => readonly Deed[],
  ): Promise<{ link: Link }> => {
    const answers = await scope.write((tx) => [
      requireOrganizationStepUp(tx),
      ...record(tx),
      ...(prices ? [...check(tx), watchAccounts(tx, payees)] : []),
      holdLink(tx, id),
      ...(prices ? [deleteAccepts(tx, { organizationId, id })] : []),
      saveLink(tx, { organizationId, id, terms, prices }),
      ...(prices ? [insertAccepts(tx, { organizationId, id, accepts })] : []),
      tellOfLink(context, tx, paymentLinkUpdated({ organizationId, paymentLinkId: id, actor }, fields)),
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
      operation: 'updatePaymentLink',
      // null takes away what absent leaves, and is another variable
      variables: { id, terms: JSON.stringify(terms), accepts, pricing: change.pricing, lineItems: change.lineItems },
      resultId: id,
      isMoney: true,
    },
    (record) =>
      checkContractPayees(context, accepts, (check) => save(record, check)).catch((error: unknown) =>
        explainLink(context, accepts, error),
      ),
    async (known) => ({ link: await read(scope.db, known) }),
  );
}

/** Prices, if they are to change: a part of them would not agree with the rest. */
async function readNewPrices(context: Context, change: Partial<PricesInput>): Promise<Prices | null> {
  const { accepts, pricing, lineItems } = change;
  if (accepts != null) return readPrices(context, { accepts, pricing, lineItems });
  if (pricing == null && lineItems == null) return null;
  throw kernelErrors.BAD_USER_INPUT({ field: 'accepts', expected: 'all of them anew, with pricing and lineItems' });
}

function deleteAccepts(tx: Transaction, { organizationId, id }: { organizationId: string; id: string }): Deed {
  return tx.$executeRaw`
    /* deleteAccepts */
    delete from payment_link_accepts
    where organization_id = ${organizationId}::uuid and payment_link_id = ${id}::uuid`;
}

/** What is not named in the record stays as it is in the row. */
function saveLink(
  tx: Transaction,
  link: {
    readonly organizationId: string;
    readonly id: string;
    readonly terms: LinkColumns;
    readonly prices: Prices | null;
  },
): Deed {
  const { organizationId, id, terms, prices } = link;
  const columns = { ...terms, ...(prices && { pricing: prices.pricing, line_items: prices.lineItems }) };
  return tx.$executeRaw`
    /* updatePaymentLink */
    update payment_links l
    set (
      title, description, order_lifetime_minutes, pricing, line_items, starts_at, expires_at, max_uses, max_per_wallet,
      tolerance_basis_points, under_policy, over_policy, late_policy, late_window_minutes, finality,
      finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url, inactive_message, metadata
    ) = (
      select
        r.title, r.description, r.order_lifetime_minutes, r.pricing, r.line_items, r.starts_at, r.expires_at,
        r.max_uses, r.max_per_wallet, r.tolerance_basis_points, r.under_policy, r.over_policy, r.late_policy,
        r.late_window_minutes, r.finality, r.finality_confirmations, r.custom_fields, r.allowed_payers, r.success_url,
        r.cancel_url, r.inactive_message, r.metadata
      from jsonb_populate_record(l, ${JSON.stringify(columns)}::jsonb) r
    )
    where l.organization_id = ${organizationId}::uuid and l.id = ${id}::uuid`;
}
