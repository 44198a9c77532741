import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFinalityRules } from '../../src/chain/commands/findFinalityRules.ts';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { type FinalityRules, finalityFor, finalityOf, isMet } from '../../src/chain/model.ts';
import type { ChainSetting } from '../../src/environment.ts';
import { type FinalityPolicy, readFinality, showFinality } from '../../src/kernel/finality.ts';
import { type Ledger, openLedger, SETTING } from './ledger.ts';
import { scriptedChain } from './scriptedChain.ts';

const twelve: FinalityPolicy = { kind: 'CONFIRMATIONS', confirmations: 12 };
const included: FinalityPolicy = { kind: 'CONFIRMATIONS', confirmations: 1 };
const safe: FinalityPolicy = { kind: 'SAFE' };
const final: FinalityPolicy = { kind: 'FINALIZED' };

describe('a finality', () => {
  it.each<[string, FinalityPolicy]>([
    ['CONFIRMATIONS(1)', included],
    ['CONFIRMATIONS(12)', twelve],
    ['CONFIRMATIONS(1000)', { kind: 'CONFIRMATIONS', confirmations: 1000 }],
    ['SAFE', safe],
    ['FINALIZED', final],
  ])('is read from %s, and written so', (text, policy) => {
    expect(readFinality(text)).toEqual(policy);
    expect(showFinality(policy)).toBe(text);
  });

  it('of what is included is one confirmation', () => {
    expect(readFinality('INCLUDED')).toEqual(included);
  });

  it.each(['', 'CONFIRMATIONS', 'CONFIRMATIONS()', 'CONFIRMATIONS(0)', 'CONFIRMATIONS(1001)', 'CONFIRMATIONS(1.5)'])(
    'is not read from %s',
    (text) => expect(readFinality(text)).toBeNull(),
  );

  it.each(['INCLUDED()', 'included', 'SAFE ', 'FINAL', 'CONFIRMATIONS(-1)', 'CONFIRMATIONS(012)'])(
    'is not read from %s either',
    (text) => expect(readFinality(text)).toBeNull(),
  );

  it('stands in two columns, which must fit each other', () => {
    expect(finalityOf('SAFE', null)).toEqual(safe);
    expect(finalityOf('CONFIRMATIONS', 12)).toEqual(twelve);
    expect(() => finalityOf('CONFIRMATIONS', null)).toThrow('There is no finality');
    expect(() => finalityOf('FINAL', null)).toThrow('There is no finality');
  });
});

describe('the finality that an amount needs', () => {
  const rules: FinalityRules = {
    usual: twelve,
    thresholds: [
      { assetId: 'usd', fromUnits: 1_000n, finality: safe },
      { assetId: 'usd', fromUnits: 50_000n, finality: final },
      { assetId: 'usd', fromUnits: 10n, finality: included },
    ],
  };

  it.each<[string, bigint, FinalityPolicy]>([
    ['usd', 9n, twelve],
    ['usd', 10n, included],
    ['usd', 999n, included],
    ['usd', 1_000n, safe],
    ['usd', 49_999n, safe],
    ['usd', 50_000n, final],
    ['usd', 2n ** 256n - 1n, final],
    ['other', 50_000n, twelve],
  ])('of %s from %d on is that of the highest threshold it reaches', (assetId, units, policy) => {
    expect(finalityFor(rules, assetId, units)).toEqual(policy);
  });
});

describe('a payment in block 90', () => {
  it.each<[FinalityPolicy, { head: bigint; safe?: bigint; finalized?: bigint }, boolean]>([
    [included, { head: 90n }, true],
    [included, { head: 89n }, false],
    [twelve, { head: 100n }, false],
    [twelve, { head: 101n }, true],
    [twelve, { head: 100n, safe: 100n, finalized: 100n }, false],
    [safe, { head: 200n, safe: 89n }, false],
    [safe, { head: 200n, safe: 90n }, true],
    [safe, { head: 200n, finalized: 90n }, true],
    [final, { head: 200n, safe: 199n, finalized: 89n }, false],
    [final, { head: 200n, safe: 199n, finalized: 90n }, true],
  ])('with %o and the chain at %o is done: %s', (policy, { head, safe: safeNumber = 0n, finalized = 0n }, done) => {
    expect(isMet(policy, 90n, { head, safe: safeNumber, finalized })).toBe(done);
  });
});

describe('the rules of a chain', () => {
  let ledger: Ledger;
  const node = scriptedChain();
  beforeAll(async () => {
    ledger = await openLedger();
  });
  afterAll(() => ledger.close());

  const [coin, token] = SETTING.assets as [ChainSetting['assets'][number], ChainSetting['assets'][number]];
  const find = (chainId: number): Promise<FinalityRules> =>
    findFinalityRules(ledger.worker.database.as({ kind: 'public', requestId: 'test' }), BigInt(chainId));
  const rulesNow = async (setting: Partial<ChainSetting>): Promise<FinalityRules> => {
    await registerChain(ledger.worker, { setting: { ...SETTING, ...setting }, reader: node.reader });
    return find(SETTING.chainId);
  };

  it('are none while it is not registered', async () => {
    await expect(find(1)).rejects.toThrow('Chain 1 is not registered.');
  });

  it('are what its settings say, also when they say something else later', async () => {
    const thresholds = [
      { fromUnits: 2n ** 255n, finality: final },
      { fromUnits: 5n, finality: safe },
    ];
    const rules = await rulesNow({ assets: [coin, { ...token, thresholds }] });
    const [{ id: assetId = '' } = {}] = await ledger.sql<{ id: string }>(`select id from assets where symbol = 'TUSD'`);
    expect(rules.usual).toEqual({ kind: 'CONFIRMATIONS', confirmations: 2 });
    expect(finalityFor(rules, assetId, 4n)).toEqual(rules.usual);
    expect(finalityFor(rules, assetId, 5n)).toEqual(safe);
    expect(finalityFor(rules, assetId, 2n ** 255n)).toEqual(final);
    expect(await rulesNow({ finality: safe, assets: [{ ...coin, thresholds: [thresholds[1] as never] }] })).toEqual({
      usual: safe,
      thresholds: [{ assetId: expect.not.stringMatching(assetId), fromUnits: 5n, finality: safe }],
    });
  });
});
