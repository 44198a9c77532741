import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { newId } from '../../kernel/ids.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { domainAdded } from '../events.ts';
import { cleanHost, type DomainKind } from '../model.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Adds a host that the viewer's organization says is its own; it counts for nothing until it is verified. Needs
 * `organization:write`.
 * @param input.read how the domain is read, in the packet that adds it
 * @throws DOMAIN_RESERVED, DOMAIN_ALREADY_ADDED, TOO_MANY_DOMAINS, STEP_UP_REQUIRED
 */
export async function addDomain<Domain>(
  context: Context,
  input: {
    readonly host: string;
    readonly kind: DomainKind;
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organizationDomain'>, id: string) => Deed<Domain>;
  },
): Promise<Done<{ readonly domain: Domain }>> {
  const { viewer, scope } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { kind, idempotencyKey, read } = input;
  const host = cleanHost(input.host, { kind, own: ownHosts(context) });
  const id = newId();
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'addDomain',
    variables: { host, kind },
    resultId: id,
  };
  const add = async (record: (tx: Transaction) => readonly Deed[]): Promise<{ domain: Domain }> => {
    const answers = await scope.write((tx) => [
      requireOrganizationStepUp(tx),
      ...record(tx),
      tx.$executeRaw`
        /* addDomain */
        insert into organization_domains (organization_id, id, kind, host, verification_token)
        values (
          ${organizationId}::uuid, ${id}::uuid, ${kind}::domain_kind, ${host}, ${randomBytes(16).toString('hex')}
        )`,
      appendEvent(context, tx, domainAdded({ organizationId, userId, domainId: id, host })),
      read(tx, id),
    ]);
    return { domain: answers.at(-1) as Domain };
  };
  return once(scope, keyed, add, async (added) => ({ domain: await read(scope.db, added) })).catch((error: unknown) => {
    // a key that was used before has been told apart already
    if (isUniqueViolation(error)) throw tenancyErrors.DOMAIN_ALREADY_ADDED({ host });
    throw error;
  });
}

/** Where this installation itself is reached, and people sign in to all organizations. */
function ownHosts({ publicUrl, signInOrigins }: Context): string[] {
  return [publicUrl, ...signInOrigins].map((url) => new URL(url).hostname);
}
