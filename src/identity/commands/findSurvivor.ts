import type { Context } from '../../context.ts';

/** The user that an id means: whoever a merged one has become, else itself, whether there is such a user or not. */
export async function findSurvivor({ scope }: Context, userId: string): Promise<string> {
  const [merged] = await scope.db.$queryRaw<{ survivorId: string }[]>`
    /* findSurvivor */
    select merged_into_id as "survivorId" from users where id = ${userId}::uuid and merged_into_id is not null`;
  return merged?.survivorId ?? userId;
}
