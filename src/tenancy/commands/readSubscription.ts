import type { Context } from '../../context.ts';
import { Prisma } from '../../database/generated/client.ts';

/** What an organization may have at this moment, and how much of it it has. */
export interface SubscriptionInForce {
  readonly tier: string;
  /** When its own subscription ends, or ended. */
  readonly expiresAt: Date | null;
  readonly isExpired: boolean;
  /** Null without a limit. */
  readonly maxMembers: number | null;
  readonly maxLinks: number | null;
  /** Null for whoever may not see them. */
  readonly members: number | null;
  readonly links: number | null;
}

/**
 * What an organization may have: for its members, of the organization that the scene works in and of no other; for an
 * operator of any. Null where there is nothing to see.
 */
export async function readSubscription(
  context: Context,
  { organizationId, asOperator }: { readonly organizationId: string; readonly asOperator: boolean },
): Promise<SubscriptionInForce | null> {
  const { db } = asOperator ? context.operatorScope() : context.scope;
  const seen = asOperator
    ? { members: Prisma.sql`true`, links: Prisma.sql`true`, organization: Prisma.sql`true` }
    : {
        members: Prisma.sql`has_permission('members:read')`,
        links: Prisma.sql`has_permission('payment-links:read')`,
        organization: Prisma.sql`current_organization_id() = ${organizationId}::uuid`,
      };
  const [found = null] = await db.$queryRaw<SubscriptionInForce[]>`
    /* readSubscription */
    select
      s.tier,
      s.expires_at as "expiresAt",
      s.is_expired as "isExpired",
      s.max_members as "maxMembers",
      s.max_links as "maxLinks",
      case when ${seen.members} then (
        select count(*)::int
        from memberships m
        where m.organization_id = ${organizationId}::uuid and m.status = 'ACTIVE'
      ) end as members,
      case when ${seen.links} then (
        select count(*)::int
        from payment_links l
        where l.organization_id = ${organizationId}::uuid and l.status <> 'ARCHIVED' and l.deleted_at is null
      ) end as links
    from subscription_of(${organizationId}::uuid) s
    where ${seen.organization}`;
  return found;
}
