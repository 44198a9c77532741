import type { Scope } from '../../database/scope.ts';
import { type FinalityRules, finalityOf } from '../model.ts';

/** What a registered chain's payments need until they are done. */
export async function findFinalityRules({ db }: Pick<Scope, 'db'>, chainId: bigint): Promise<FinalityRules> {
  const [chain] = await db.$queryRaw<
    {
      finality: string;
      confirmations: number | null;
      thresholds: { assetId: string; fromUnits: string; finality: string; confirmations: number | null }[];
    }[]
  >`
    /* findFinalityRules */
    select
      c.finality::text as finality, c.confirmations,
      coalesce(
        (
          select jsonb_agg(jsonb_build_object(
            'assetId', r.asset_id, 'fromUnits', r.from_units::text,
            'finality', r.finality, 'confirmations', r.confirmations
          ))
          from chain_finality_rules r
          join assets a on a.id = r.asset_id
          where a.chain_id = c.chain_id
        ),
        '[]'
      ) as thresholds
    from chains c
    where c.chain_id = ${chainId}`;
  if (!chain) throw new Error(`Chain ${chainId} is not registered.`);
  return {
    usual: finalityOf(chain.finality, chain.confirmations),
    thresholds: chain.thresholds.map(({ assetId, fromUnits, finality, confirmations }) => ({
      assetId,
      fromUnits: BigInt(fromUnits),
      finality: finalityOf(finality, confirmations),
    })),
  };
}
