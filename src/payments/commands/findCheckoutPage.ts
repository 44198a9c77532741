import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { type CheckoutTheme, readTheme } from '../model/theme.ts';

/** What a checkout page must know before it is shown. */
export interface CheckoutPage {
  /** How it looks; null where there is no such link. */
  readonly theme: CheckoutTheme | null;
  /** Whether the host is an organization's own, which shows nothing of anybody else. */
  readonly isOwned: boolean;
}

/**
 * The page of a link that payers find: without a theme where there is none, and on an organization's own verified domain
 * also where the link is another organization's.
 * @param host whose page was asked for, without a port; null on the gateway's own
 */
export async function findCheckoutPage(
  { database, requestId }: Pick<Context, 'database' | 'requestId'>,
  { slug, host }: { readonly slug: string; readonly host: string | null },
): Promise<CheckoutPage> {
  const by = (kind: 'payment-link' | 'domain', value: string) =>
    database.as({ kind: 'public', requestId, handle: { kind, valueHash: sha256(value) } }).db;
  const [[page], [owner]] = await Promise.all([
    by('payment-link', slug).$queryRaw<{ organizationId: string; theme: Readonly<Record<string, unknown>> | null }[]>`
      /* findCheckoutPage */
      select l.organization_id as "organizationId", s.theme
      from payment_links l
      left join store_configurations s on s.organization_id = l.organization_id
      where l.status <> 'DRAFT'`,
    host === null
      ? []
      : by('domain', host).$queryRaw<{ organizationId: string | null }[]>`
          /* findOwnerOfHost */
          select current_organization_id() as "organizationId"`,
  ]);
  // a host that is nobody's domain is the gateway's own, however it is called
  const isOwned = owner != null && owner.organizationId !== null;
  const isShown = page && (!isOwned || owner.organizationId === page.organizationId);
  return { theme: isShown ? readTheme(page.theme ?? {}) : null, isOwned };
}
