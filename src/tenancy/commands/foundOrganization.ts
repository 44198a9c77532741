import { randomBytes } from 'node:crypto';
import type { Context, Founder } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { organizationCreated } from '../events.ts';

/** Makes the personal organization of somebody who has just signed up, inside the sign-up's own transaction. */
export async function foundOrganization(
  context: Pick<Context, 'requestId' | 'client'>,
  tx: Transaction,
  founder: Founder,
): Promise<void> {
  const { organizationId, userId, displayName } = founder;
  const name = founder.organizationName ?? `${displayName}’s organization`;
  const slug = founder.organizationSlug ?? `org-${randomBytes(5).toString('hex')}`;
  await tx.organization.createMany({ data: { id: organizationId, name, slug } });
  await tx.$executeRaw`
    /* addFirstOwner */
    insert into memberships (organization_id, user_id, role, joined_at)
    values (${organizationId}::uuid, ${userId}::uuid, 'OWNER', clock_timestamp())`;
  await appendEvent(context, tx, organizationCreated({ organizationId, ownerId: userId, name }));
}
