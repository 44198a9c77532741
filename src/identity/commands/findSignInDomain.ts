import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';

/** An organization's own domain that its members may sign in on. */
export interface SignInDomain {
  readonly origin: string;
  readonly domainId: string;
  readonly organizationId: string;
}

/**
 * The verified domain of an organization that an origin is of, if it is none that everybody signs in from: https alone,
 * without a port, by an exact match. What the signed text or the `Origin` header says is asked for, never the `Host`.
 */
export async function findSignInDomain(
  { database, requestId, signInOrigins }: Pick<Context, 'database' | 'requestId' | 'signInOrigins'>,
  origin: string | null,
): Promise<SignInDomain | null> {
  if (origin === null || signInOrigins.includes(origin) || !URL.canParse(origin)) return null;
  const url = new URL(origin);
  if (url.protocol !== 'https:' || url.port !== '' || url.origin !== origin) return null;
  const handle = { kind: 'domain', valueHash: sha256(url.hostname) } as const;
  const [found] = await database.as({ kind: 'public', requestId, handle }).db.$queryRaw<
    { domainId: string | null; organizationId: string | null }[]
  >`
    /* findSignInDomain */
    select current_target_id() as "domainId", current_organization_id() as "organizationId"`;
  const { domainId = null, organizationId = null } = found ?? {};
  return domainId === null || organizationId === null ? null : { origin, domainId, organizationId };
}
