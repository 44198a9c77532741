import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { metadataOf } from '../../events/model.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { newId } from '../../kernel/ids.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { cleanOrganization } from '../model.ts';

/**
 * Makes a further organization that the viewer owns, with its settings and its store's configuration; the session goes
 * on working where it did, and `switchOrganization` goes there.
 * @param input.slug one of ten random digits when absent
 * @param input.read how the organization is read, in the packet that makes it
 * @throws SLUG_TAKEN, SESSION_BOUND, RATE_LIMITED after as many as a user may make within a day
 */
export async function createOrganization<Organization>(
  context: Context,
  input: {
    readonly name: string;
    readonly slug?: string | null | undefined;
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization>;
  },
): Promise<Done<{ readonly organization: Organization }>> {
  const { scope, viewer, environment } = context;
  assertPerson(viewer);
  const { idempotencyKey, read } = input;
  const words = cleanOrganization({ name: input.name, slug: input.slug ?? undefined });
  const slug = words.slug ?? `org-${randomBytes(5).toString('hex')}`;
  const id = newId();
  const allowed = environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS ? null : environment.LIMIT_ORGANIZATIONS_PER_USER_PER_DAY;
  const keyed = {
    given: idempotencyKey,
    organizationId: viewer.organizationId,
    principal: `user:${viewer.userId}`,
    operation: 'createOrganization',
    variables: words,
    resultId: id,
  };
  const create = async (record: (tx: Transaction) => readonly Deed[]): Promise<{ organization: Organization }> => {
    const answers = await scope.write((tx) => [
      ...record(tx),
      tx.$queryRaw`
        /* createOrganization */
        select from create_organization(
          ${id}::uuid, ${words.name ?? ''}, ${slug}, ${JSON.stringify(metadataOf(context))}::jsonb, ${allowed}::int
        )`,
      read(tx, id),
    ]);
    return { organization: answers.at(-1) as Organization };
  };
  return once(scope, keyed, create, async (made) => ({ organization: await read(scope.db, made) })).catch(
    (error: unknown) => {
      // a key that was used before has been told apart already
      if (isUniqueViolation(error)) throw tenancyErrors.SLUG_TAKEN({ slug });
      throw error;
    },
  );
}
