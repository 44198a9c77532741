import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent, type NewEvent } from '../../events/commands/appendEvent.ts';

/** Appends a fact about the signed-in user in each organization that they are a member of now. */
export async function tellOrganizations(
  context: Context,
  tx: Transaction,
  factFor: (organizationId: string) => NewEvent,
): Promise<void> {
  const organizations = await tx.$queryRaw<{ id: string }[]>`
    /* findOwnOrganizations */
    select o.id
    from organizations o
    join memberships m on m.organization_id = o.id
    where m.user_id = (select current_user_id()) and m.status = 'ACTIVE'
    order by o.id`;
  for (const { id } of organizations) await appendEvent(context, tx, factFor(id));
}
