import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { roleUpdated } from '../events.ts';
import { type CleanRole, cleanRole, type RoleWords } from './cleanRole.ts';
import { holdRole } from './holdRole.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Changes a custom role's name, description or permissions; what is absent stays. Whoever has it may do what it lists
 * from their next statement on. Needs `members:write`, and whatever the role allows, before and after.
 * @param input.id null when what was given names none
 * @throws FORBIDDEN, ROLE_UNKNOWN, ROLE_ABOVE_YOURS, ROLE_NAME_TAKEN, CONFLICT, STEP_UP_REQUIRED
 */
export async function updateRole(
  context: Context,
  input: RoleWords & { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly roleId: string }>> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  const { id, idempotencyKey, ...given } = input;
  const words = cleanRole(given);
  const fields = Object.keys(words);
  if (fields.length === 0) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'input', expected: 'at least one of name, description, permissions' });
  }
  if (id === null) throw tenancyErrors.ROLE_UNKNOWN();
  const { organizationId, userId } = viewer;
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'updateRole',
    variables: { id, ...words },
    resultId: id,
  };
  return once(
    scope,
    keyed,
    (record) =>
      scope.transaction(async (tx) => {
        await requireOrganizationStepUp(tx);
        for (const deed of record(tx)) await deed;
        const { name: before } = await holdRole(context, tx, id);
        const { name = before, permissions } = words;
        await assertGrantable(tx, name, permissions);
        await saveRole(tx, { organizationId, id, words });
        await appendNextEvent(
          context,
          tx,
          roleUpdated({ organizationId, userId, roleId: id, name, fields, permissions }),
        );
        return { roleId: id };
      }),
    async (roleId) => ({ roleId }),
  ).catch((error: unknown) => {
    // a key that was used before has been told apart already
    if (isUniqueViolation(error)) throw tenancyErrors.ROLE_NAME_TAKEN({ name: words.name ?? '' });
    throw error;
  });
}

/** The policy says so as well, without saying why. */
async function assertGrantable(
  tx: Pick<Transaction, '$queryRaw'>,
  name: string,
  permissions: readonly string[] | undefined,
): Promise<void> {
  if (permissions === undefined) return;
  const [may] = await tx.$queryRaw<{ permitted: boolean }[]>`
    /* mayGrantAll */
    select ${[...permissions]}::text[] <@ string_to_array(current_setting('app.permissions'), ' ') as permitted`;
  if (!may?.permitted) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: name });
}

function saveRole(
  tx: Transaction,
  { organizationId, id, words }: { readonly organizationId: string; readonly id: string; readonly words: CleanRole },
): Deed {
  const { name, description, permissions } = words;
  return tx.$executeRaw`
    /* updateRole */
    update roles
    set name = coalesce(${name ?? null}, name),
        description = case
          when ${description !== undefined}::boolean then ${description ?? null}
          else description
        end,
        permissions = coalesce(${permissions ? [...permissions] : null}::text[], permissions)
    where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
}
