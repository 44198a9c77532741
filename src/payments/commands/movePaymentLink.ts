import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentErrors } from '../errors.ts';
import { paymentLinkMoved } from '../events.ts';
import { type LinkDeed, type LinkStatus, nextLinkStatus, statusAfter } from '../model/linkStatus.ts';
import { explainLink } from './explainLink.ts';
import { holdLink } from './holdLink.ts';
import { tellOfLink } from './tellOfLink.ts';

/**
 * Publishes, pauses or archives a link; orders that are there go on. One is not published whose payee is nobody’s of the
 * organization any more.
 * @throws PAYMENT_LINK_NOT_FOUND, LINK_STATUS_REFUSED, PAYEE_NOT_PROVED
 */
export async function movePaymentLink<Link>(
  context: Context,
  input: {
    /** The link's own id. */
    readonly id: string;
    readonly deed: LinkDeed;
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'paymentLink'>, id: string) => Deed<Link>;
  },
): Promise<Done<{ readonly link: Link }>> {
  const { viewer, scope } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  const actor = actorOf(viewer);
  const { id, deed, idempotencyKey, read } = input;
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: actor,
      operation: `${deed}PaymentLink`,
      variables: { id },
      resultId: id,
      isMoney: true,
    },
    async (record) => {
      const link = await scope
        .transaction(async (tx) => {
          await requireOrganizationStepUp(tx);
          for (const each of record(tx)) await each;
          await holdLink(tx, id);
          const { status, unproved } = await readHeld(tx, { organizationId, id });
          const next = nextLinkStatus(status, deed);
          if (next === null) throw paymentErrors.LINK_STATUS_REFUSED({ status, to: statusAfter(deed) });
          if (next === 'ACTIVE' && unproved !== null) throw paymentErrors.PAYEE_NOT_PROVED({ payTo: unproved });
          await saveStatus(tx, { organizationId, id, status: next });
          const link = { organizationId, paymentLinkId: id, actor };
          await tellOfLink(context, tx, paymentLinkMoved(link, next as 'ACTIVE' | 'PAUSED' | 'ARCHIVED'));
          return read(tx, id);
        })
        .catch((error: unknown) => explainLink(context, [], error));
      return { link };
    },
    async (known) => ({ link: await read(scope.db, known) }),
  );
}

interface HeldLink {
  readonly status: LinkStatus;
  /** A payee of it that nobody of the organization stands for any more. */
  readonly unproved: string | null;
}

async function readHeld(tx: Transaction, link: { organizationId: string; id: string }): Promise<HeldLink> {
  const [held] = await tx.$queryRaw<HeldLink[]>`
    /* readHeldLink */
    select
      l.status::text as status,
      (
        select a.pay_to
        from payment_link_accepts a
        join assets s on s.id = a.asset_id
        where a.organization_id = l.organization_id
          and a.payment_link_id = l.id
          and not is_proved_payee(a.pay_to, s.chain_id)
        order by a.pay_to
        limit 1
      ) as unproved
    from payment_links l
    where l.organization_id = ${link.organizationId}::uuid and l.id = ${link.id}::uuid`;
  if (!held) throw new Error('A link that is held is not there.');
  return held;
}

function saveStatus(
  tx: Transaction,
  { organizationId, id, status }: { organizationId: string; id: string; status: LinkStatus },
): Deed {
  return tx.$executeRaw`
    /* movePaymentLink */
    update payment_links
    set status = ${status}::payment_link_status
    where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
}
