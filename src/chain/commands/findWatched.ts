import type { Scope } from '../../database/scope.ts';

/** The accounts that a chain's watcher records for; they are added to, and none is ever taken away. */
export async function findWatched({ db }: Pick<Scope, 'db'>, chainId: number): Promise<ReadonlySet<string>> {
  const watched = await db.$queryRaw<{ address: string }[]>`
    /* findWatched */
    select distinct address
    from watched_accounts
    where chain_id = ${chainId} or chain_id is null`;
  return new Set(watched.map(({ address }) => address));
}
