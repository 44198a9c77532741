import type { NewEvent } from '../events/commands/appendEvent.ts';

/** An organization began to exist, with its first owner. */
export function organizationCreated(fact: {
  readonly organizationId: string;
  readonly ownerId: string;
  readonly name: string;
}): NewEvent {
  return {
    type: 'organization.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'organization', id: fact.organizationId, version: 1 },
    actor: `user:${fact.ownerId}`,
    tags: [`organization:${fact.organizationId}`, `user:${fact.ownerId}`],
    data: { name: fact.name },
  };
}
