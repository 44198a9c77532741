import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import type { Scope } from '../../database/scope.ts';
import { metadataOf } from '../../events/model.ts';
import { sha256 } from '../../kernel/digest.ts';
import type { FailureFactory } from '../../kernel/errors.ts';
import { tenancyErrors } from '../errors.ts';

/** A membership that was just begun. */
export interface TakenInvitation {
  readonly organizationId: string;
  readonly membershipId: string;
}

type Taken = {
  readonly refusal: keyof typeof REFUSALS | null;
  readonly organizationId: string | null;
  readonly membershipId: string | null;
};

/** What `accept_invitation` answers instead of a membership. */
const REFUSALS = {
  UNKNOWN: tenancyErrors.INVITATION_UNKNOWN,
  USED: tenancyErrors.INVITATION_USED,
  REVOKED: tenancyErrors.INVITATION_REVOKED,
  EXPIRED: tenancyErrors.INVITATION_EXPIRED,
  VOID: tenancyErrors.INVITATION_VOID,
  MEMBER: tenancyErrors.ALREADY_A_MEMBER,
  SUSPENDED: databaseErrors.ORGANIZATION_SUSPENDED,
} satisfies Readonly<Record<string, FailureFactory>>;

/**
 * Makes the scope's user a member by an invitation: by its token, or by its id if it is for a wallet of theirs.
 * @param input.id null when what was given names none
 * @throws INVITATION_UNKNOWN, INVITATION_USED, INVITATION_REVOKED, INVITATION_EXPIRED, INVITATION_VOID,
 * ALREADY_A_MEMBER, ORGANIZATION_SUSPENDED, SESSION_BOUND
 */
export async function takeInvitation(
  context: Pick<Context, 'requestId' | 'client'>,
  { scope, token, id }: { readonly scope: Scope; readonly token: string | null; readonly id: string | null },
): Promise<TakenInvitation> {
  if (token === null && id === null) throw tenancyErrors.INVITATION_UNKNOWN();
  const hash = token === null ? null : sha256(token.trim());
  const [[taken]] = await scope.write((tx) => [
    tx.$queryRaw<[Taken]>`
      /* acceptInvitation */
      select refusal, organization as "organizationId", membership as "membershipId"
      from accept_invitation(${hash}::bytea, ${id}::uuid, ${JSON.stringify(metadataOf(context))}::jsonb)`,
  ]);
  const { refusal, organizationId, membershipId } = taken;
  if (refusal !== null) throw REFUSALS[refusal]();
  return { organizationId: organizationId ?? '', membershipId: membershipId ?? '' };
}
