import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { roleCreated } from '../events.ts';
import { cleanRole } from './cleanRole.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Makes a custom role of the viewer's organization, which nobody has yet. Needs `members:write`, and each of its
 * permissions: the database refuses others, and only then it is asked why.
 * @param input.read how the role is read, in the packet that makes it
 * @throws FORBIDDEN, ROLE_ABOVE_YOURS, ROLE_NAME_TAKEN, TOO_MANY_ROLES, STEP_UP_REQUIRED
 */
export async function createRole<Role>(
  context: Context,
  input: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly permissions: readonly string[];
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'role'>, id: string) => Deed<Role>;
  },
): Promise<Done<{ readonly role: Role }>> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { idempotencyKey, read, ...given } = input;
  const { name = '', description = null, permissions = [] } = cleanRole(given);
  const id = newId();
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'createRole',
    variables: { name, description, permissions },
    resultId: id,
  };
  const make = async (record: (tx: Transaction) => readonly Deed[]): Promise<{ role: Role }> => {
    const answers = await scope.write((tx) => [
      requireOrganizationStepUp(tx),
      ...record(tx),
      tx.$executeRaw`
        /* createRole */
        insert into roles (organization_id, id, name, description, permissions)
        values (${organizationId}::uuid, ${id}::uuid, ${name}, ${description}, ${[...permissions]}::text[])`,
      appendEvent(context, tx, roleCreated({ organizationId, userId, roleId: id, name, permissions })),
      read(tx, id),
    ]);
    return { role: answers.at(-1) as Role };
  };
  return once(
    scope,
    keyed,
    (record) => make(record).catch((error: unknown) => explain(context, name, error)),
    async (made) => ({ role: await read(scope.db, made) }),
  ).catch((error: unknown) => {
    // a key that was used before has been told apart already
    if (isUniqueViolation(error)) throw tenancyErrors.ROLE_NAME_TAKEN({ name });
    throw error;
  });
}

async function explain({ scope }: Context, name: string, error: unknown): Promise<never> {
  if (!(error instanceof GatewayError) || error.code !== 'FORBIDDEN') throw error;
  const [may] = await scope.db.$queryRaw<{ permitted: boolean }[]>`
    /* mayMakeRoles */
    select has_permission('members:write') as permitted`;
  if (!may?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  throw tenancyErrors.ROLE_ABOVE_YOURS({ role: name });
}
