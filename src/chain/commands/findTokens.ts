import type { Scope } from '../../database/scope.ts';

/** What a chain's blocks are read for. */
export interface KnownTokens {
  /** The contracts of registered tokens, in lower case. */
  readonly all: ReadonlySet<string>;
  /** Those whose logs do not say what arrived. */
  readonly byBalance: ReadonlySet<string>;
  /** Whether the chain's native coin is registered. */
  readonly native: boolean;
}

/** The assets that a chain's transfers are recorded in. */
export async function findTokens({ db }: Pick<Scope, 'db'>, chainId: number): Promise<KnownTokens> {
  const assets = await db.asset.findMany({
    where: { chainId },
    select: { address: true, creditsBalanceDifference: true },
  });
  const contracts = (some: typeof assets): Set<string> => new Set(some.flatMap(({ address }) => address ?? []));
  return {
    all: contracts(assets),
    byBalance: contracts(assets.filter(({ creditsBalanceDifference }) => creditsBalanceDifference)),
    native: assets.some(({ address }) => address === null),
  };
}
