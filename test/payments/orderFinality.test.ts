import { afterAll, beforeAll, expect, it } from 'vitest';
import { findFinalityRules } from '../../src/chain/commands/findFinalityRules.ts';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { finalityFor, finalityOf } from '../../src/chain/model.ts';
import type { ChainSetting } from '../../src/environment.ts';
import type { FinalityPolicy } from '../../src/kernel/finality.ts';
import { type Ledger, openLedger, SETTING } from '../chain/ledger.ts';
import { scriptedChain } from '../chain/scriptedChain.ts';
import { FULL, SEED, seeded } from '../support/scale.ts';

// What `Asset.finalityFor` tells, `finalityFor` decides; what an order gets, the trigger `take_chain_terms`. Both read the
// chain's rules, and have to read the same out of them.

let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger();
  await ledger.sql(`
    create temporary table asked (
      place integer, asset_id uuid, due_units numeric, finality payment_finality, required_confirmations integer
    )`);
  await ledger.sql('create trigger take before insert on asked for each row execute function take_chain_terms()');
});
afterAll(() => ledger.close());

const random = seeded(SEED);
const below = (limit: number): number => Math.floor(random() * limit);

function anyPolicy(): FinalityPolicy {
  const kind = (['CONFIRMATIONS', 'SAFE', 'FINALIZED'] as const)[below(3)] ?? 'SAFE';
  return kind === 'CONFIRMATIONS' ? { kind, confirmations: 1 + below(1000) } : { kind };
}

/** Amounts on both sides of everything that a rule may begin at, small and as large as a column holds. */
const anyUnits = (): bigint => [1n, 10n, 2n ** 64n, 2n ** 255n][below(4)] as bigint;

interface Case {
  readonly assetId: string;
  readonly units: bigint;
}

/** What the trigger makes of an order of each of these that leaves its finality to the chain. */
async function decidedByTrigger(cases: readonly Case[]): Promise<readonly FinalityPolicy[]> {
  const rows = await ledger.sql<{ finality: string; required_confirmations: number }>(
    `with made as (
       insert into asked (place, asset_id, due_units)
       select place, asset, units from unnest($1::uuid[], $2::numeric[]) with ordinality as given (asset, units, place)
       returning *
     )
     select finality, required_confirmations from made order by place`,
    cases.map(({ assetId }) => assetId),
    cases.map(({ units }) => units.toString()),
  );
  return rows.map(({ finality, required_confirmations: confirmations }) =>
    finalityOf(finality, finality === 'CONFIRMATIONS' ? confirmations : null),
  );
}

it(`an order gets the finality that its asset tells of its amount, whatever the rules (seed ${SEED})`, async () => {
  const node = scriptedChain();
  const [coin, token] = SETTING.assets as [ChainSetting['assets'][number], ChainSetting['assets'][number]];
  let compared = 0;
  for (let round = 0; round < (FULL ? 60 : 4); round += 1) {
    const thresholds = (): NonNullable<ChainSetting['assets'][number]['thresholds']> => {
      const starts = [...new Set(Array.from({ length: below(4) }, () => anyUnits() + BigInt(below(3))))];
      return starts.map((fromUnits) => ({ fromUnits, finality: anyPolicy() }));
    };
    const assets = [coin, token].map((asset) => ({ ...asset, thresholds: thresholds() }));
    await registerChain(ledger.worker, { setting: { ...SETTING, finality: anyPolicy(), assets }, reader: node.reader });
    const rules = await findFinalityRules(
      ledger.worker.database.as({ kind: 'public', requestId: 'test' }),
      BigInt(SETTING.chainId),
    );
    const ids = await ledger.sql<{ id: string }>('select id from assets order by caip19');
    const starts = [1n, ...rules.thresholds.map(({ fromUnits }) => fromUnits)];
    const cases = ids.flatMap(({ id: assetId }) =>
      starts.flatMap((start) => [start - 1n, start, start + 1n].map((units) => ({ assetId, units }))),
    );
    const told = cases.map(({ assetId, units }) => finalityFor(rules, assetId, units));
    expect(await decidedByTrigger(cases)).toEqual(told);
    compared += cases.length;
  }
  expect(compared).toBeGreaterThan(60);
});
