import type { Context } from '../../context.ts';
import type { Database } from '../../database/scope.ts';

/** What never changes of an asset that is registered. */
export interface KnownAsset {
  readonly id: string;
  readonly chainId: bigint;
  /** Null for the native coin. */
  readonly address: string | null;
  readonly decimals: number;
}

/** Assets are common knowledge, the same for every viewer, and are never changed in these respects: so they are kept. */
const known = new WeakMap<Database, Map<string, KnownAsset>>();

/** The registered assets among these CAIP-19 names, by name; asks the database only for those not seen before. */
export async function findAssets(
  { database, scope }: Pick<Context, 'database' | 'scope'>,
  names: readonly string[],
): Promise<ReadonlyMap<string, KnownAsset>> {
  const assets = known.get(database) ?? new Map<string, KnownAsset>();
  known.set(database, assets);
  const unseen = names.filter((name) => !assets.has(name));
  if (unseen.length > 0) {
    const found = await scope.db.asset.findMany({
      where: { caip19: { in: unseen } },
      select: { caip19: true, id: true, chainId: true, address: true, decimals: true },
    });
    for (const { caip19, ...asset } of found) assets.set(caip19, asset);
  }
  return new Map(names.flatMap((name) => (assets.has(name) ? [[name, assets.get(name) as KnownAsset]] : [])));
}
