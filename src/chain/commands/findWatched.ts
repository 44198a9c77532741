import type { Scope } from '../../database/scope.ts';

/** Whom a chain's watcher records for, as it was at one moment. */
export interface Watched {
  /** Whoever is watched, for whatever reason. */
  readonly accounts: ReadonlySet<string>;
  /** How many of them are so for whatever comes: they are added to, and none is ever taken away. */
  readonly always: number;
  /** The rows of those that are so for what one account sends: they come and go. */
  readonly awaited: readonly string[];
}

/** The accounts that a chain's watcher records for. */
export async function findWatched({ db }: Pick<Scope, 'db'>, chainId: number): Promise<Watched> {
  const rows = await db.$queryRaw<{ address: string; awaited: string | null }[]>`
    /* findWatched */
    select address, case when sender is not null then id end as awaited
    from watched_accounts
    where chain_id = ${chainId} or chain_id is null`;
  const always = new Set(rows.flatMap(({ address, awaited }) => (awaited === null ? [address] : [])));
  return {
    accounts: new Set(rows.map(({ address }) => address)),
    always: always.size,
    awaited: rows.flatMap(({ awaited }) => awaited ?? []),
  };
}
