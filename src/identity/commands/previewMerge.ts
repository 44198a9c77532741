import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';
import { requireFreshProof } from './requireFreshProof.ts';

type Role = 'OWNER' | 'ADMIN' | 'MEMBER';

/** What merging would make of two users. */
export interface MergePreview {
  /** Whether it is the viewer who is left: whoever is the older of the two. */
  readonly viewerSurvives: boolean;
  readonly identities: readonly MergedIdentity[];
  readonly organizations: readonly MergedOrganization[];
  readonly apiKeys: readonly StoppedKey[];
}

/** What the merged user will be proved by. */
export interface MergedIdentity {
  readonly kind: 'WALLET' | 'EMAIL' | 'PHONE' | 'SOCIAL';
  readonly issuer: string;
  readonly subject: string;
  /** Whether it is the viewer's already. */
  readonly isViewers: boolean;
  readonly isPrimary: boolean;
}

/** Where the merged user will be a member, with the roles that either has now; null where that one is none. */
export interface MergedOrganization {
  readonly name: string;
  readonly viewerRole: Role | null;
  readonly otherRole: Role | null;
  readonly role: Role;
}

/** An API key that stops, since whoever answers for it goes: a personal one for good, others until an owner confirms it. */
export interface StoppedKey {
  readonly name: string;
  readonly kind: 'SERVICE' | 'INTEGRATION' | 'PERSONAL';
  readonly organizationName: string;
  /** Whether it is the viewer who answers for it. */
  readonly isViewers: boolean;
}

/**
 * What `mergeUsers` with this ticket would make; it leaves the ticket as it is.
 * @throws STEP_UP_REQUIRED, MERGE_TICKET_INVALID, MERGE_REFUSED
 */
export async function previewMerge(
  context: Context,
  { mergeTicket }: { readonly mergeTicket: string },
): Promise<MergePreview> {
  const { scope } = context;
  await requireFreshProof(context, scope.db);
  const hash = sha256(mergeTicket);
  const [[row], apiKeys] = await Promise.all([
    scope.db.$queryRaw<{ preview: (Omit<MergePreview, 'apiKeys'> & { allowed: boolean }) | null }[]>`
      /* previewMerge */
      select preview_merge(${hash}::bytea) as preview`,
    scope.db.$queryRaw<StoppedKey[]>`
      /* previewMergedKeys */
      select name, kind, organization_name as "organizationName", is_viewers as "isViewers"
      from preview_merged_keys(${hash}::bytea)`,
  ]);
  const preview = row?.preview ?? null;
  if (preview === null) throw identityErrors.MERGE_TICKET_INVALID();
  if (!preview.allowed) throw identityErrors.MERGE_REFUSED();
  return { ...preview, apiKeys };
}
