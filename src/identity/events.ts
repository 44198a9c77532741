import type { NewEvent } from '../events/commands/appendEvent.ts';

/** A person came for the first time; told in the organization that was made for them. */
export function userSignedUp(fact: {
  readonly userId: string;
  readonly organizationId: string;
  readonly address: string;
}): NewEvent {
  return {
    type: 'user.signed-up',
    organizationId: fact.organizationId,
    aggregate: { type: 'user', id: fact.userId, version: 1 },
    actor: `user:${fact.userId}`,
    tags: [`user:${fact.userId}`, `wallet:${fact.address}`],
    data: { address: fact.address },
  };
}
