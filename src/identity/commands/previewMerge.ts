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
  const [row] = await scope.db.$queryRaw<{ preview: (MergePreview & { allowed: boolean }) | null }[]>`
    /* previewMerge */
    select preview_merge(${sha256(mergeTicket)}::bytea) as preview`;
  const preview = row?.preview ?? null;
  if (preview === null) throw identityErrors.MERGE_TICKET_INVALID();
  if (!preview.allowed) throw identityErrors.MERGE_REFUSED();
  return preview;
}
