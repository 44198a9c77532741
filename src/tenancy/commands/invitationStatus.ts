import { Prisma } from '../../database/generated/client.ts';

/** What has become of an invitation. */
export type InvitationStatus = 'PENDING' | 'ACCEPTED' | 'REVOKED' | 'EXPIRED';

/** What has become of the invitation of the row `i`, by the database's clock: by it an invitation is accepted, too. */
export function invitationStatus(): Prisma.Sql {
  return Prisma.sql`
    case
      when i.accepted_at is not null then 'ACCEPTED'
      when i.revoked_at is not null then 'REVOKED'
      when i.expires_at > clock_timestamp() then 'PENDING'
      else 'EXPIRED'
    end`;
}
