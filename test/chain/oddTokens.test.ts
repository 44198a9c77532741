import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import type { ChainSetting } from '../../src/environment.ts';
import type { ChainReader } from '../../src/ports.ts';
import { newPayer, type Payer, sendFrom } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import elastic from './contracts/ElasticToken.json' with { type: 'json' };
import fee from './contracts/FeeToken.json' with { type: 'json' };
import silent from './contracts/SilentToken.json' with { type: 'json' };
import { type Ledger, openLedger } from './ledger.ts';
import { type DeployedToken, deployToken } from './tokens.ts';

let chain: DevelopmentChain;
let ledger: Ledger;
let reader: ChainReader;
let payer: Payer;
let payee: Payer;
let registered: RegisteredChain;
let feeToken: DeployedToken;
let elasticToken: DeployedToken;
let silentToken: DeployedToken;

beforeAll(async () => {
  [chain, ledger] = await Promise.all([openDevelopmentChain(), openLedger()]);
  reader = createNodeReader(chain.setting);
  [payer, payee] = [await newPayer({ chain }), await newPayer({ chain })];
  feeToken = await deployToken(chain, payer, fee);
  elasticToken = await deployToken(chain, payer, elastic);
  silentToken = await deployToken(chain, payer, silent);
  registered = await registerChain(ledger.worker, { setting: setting(), reader });
  await followChain(ledger.worker, registered, reader);
  await ledger.sql('insert into watched_accounts (address) values ($1)', payee.address);
});
afterEach(async () => {
  await ledger.sql('delete from chain_transfers');
});
afterAll(async () => {
  await ledger.close();
  await chain.stop();
});

function setting(): ChainSetting {
  const flagged = { decimals: 6, creditsBalanceDifference: true };
  return {
    ...chain.setting,
    assets: [
      { address: feeToken.address, symbol: 'FEE', name: 'Fee Token', ...flagged },
      { address: elasticToken.address, symbol: 'ELA', name: 'Elastic Token', ...flagged },
      { address: silentToken.address, symbol: 'SIL', name: 'Silent Token', decimals: 6 },
    ],
  };
}

/** Mines several transactions into one block. */
async function together(...sent: readonly (() => Promise<unknown>)[]): Promise<void> {
  await chain.node.setAutomine(false);
  for (const send of sent) await send();
  await chain.node.mine({ blocks: 1 });
  await chain.node.setAutomine(true);
}

const calling = (from: Payer, to: Hex, data: Hex) => () => sendFrom(chain, from.account, { to, data }, false);

/** What was credited, by the places of the logs. */
async function credited(): Promise<string[]> {
  await followChain(ledger.worker, registered, reader);
  const rows = await ledger.sql<{ units: string }>(
    `select t.units::text from chain_transfers t
     join chain_blocks b on b.incarnation_id = t.incarnation_id and b.number = t.block_number
     order by t.block_number, t.created_at, t.ordinal`,
  );
  return rows.map(({ units }) => units);
}

describe('a token that takes a fee of each transfer', () => {
  it('credits what arrived, not what its log says', async () => {
    await payer.send({ to: feeToken.address, data: feeToken.call('transfer', payee.address, 1_000n) });
    expect(await credited()).toEqual(['900']);
  });

  const severalTimes = (units: bigint, times: bigint): Hex => {
    const abi = parseAbi(['function transferTimes(address, uint256, uint256)']);
    return encodeFunctionData({ abi, functionName: 'transferTimes', args: [payee.address, units, times] });
  };

  it('has several transfers of a block share what arrived in proportion to their logs', async () => {
    await payer.send({ to: feeToken.address, data: severalTimes(1_000n, 3n) });
    expect(await credited()).toEqual(['900', '900', '900']);
  });

  it('lets nobody who is first in a block have of what arrived for another', async () => {
    await together(
      calling(payer, feeToken.address, severalTimes(100n, 9n)),
      calling(payer, feeToken.address, feeToken.call('transfer', payee.address, 1_000n)),
    );
    expect((await credited()).sort()).toEqual([...Array.from({ length: 9 }, () => '90'), '900']);
    const blocks = await ledger.sql('select distinct block_number from chain_transfers');
    expect(blocks).toHaveLength(1);
  });

  it('credits in full what arrives in the block in which the payee spends', async () => {
    await payer.send({ to: feeToken.address, data: feeToken.call('transfer', payee.address, 10_000n) });
    await credited();
    await ledger.sql('delete from chain_transfers');
    await together(
      calling(payee, feeToken.address, feeToken.call('transfer', payer.address, 5_000n)),
      calling(payer, feeToken.address, feeToken.call('transfer', payee.address, 1_000n)),
    );
    expect(await credited()).toEqual(['900']);
  });

  it('credits nothing of what a payee sends to itself', async () => {
    await payee.send({ to: feeToken.address, data: feeToken.call('transfer', payee.address, 100n) });
    expect(await credited()).toEqual([]);
  });

  it('is credited the same in a range of final blocks', async () => {
    await payer.send({ to: feeToken.address, data: feeToken.call('transfer', payee.address, 2_000n) });
    await payee.send({ to: feeToken.address, data: feeToken.call('transfer', payer.address, 500n) });
    await payer.send({ to: silentToken.address, data: silentToken.call('transfer', payee.address, 3n) });
    await chain.node.mine({ blocks: 200 });
    let ranges = 0;
    const counting: ChainReader = {
      ...reader,
      range(wanted) {
        ranges += 1;
        return reader.range(wanted);
      },
    };
    await followChain(ledger.worker, registered, counting);
    expect(ranges).toBeGreaterThan(0);
    const units = await ledger.sql('select units::text from chain_transfers order by block_number');
    expect(units).toEqual([{ units: '1800' }, { units: '3' }]);
  });

  it('is not passed over while the node cannot say what an account had', async () => {
    await payer.send({ to: feeToken.address, data: feeToken.call('transfer', payee.address, 10n) });
    const forgetful: ChainReader = {
      ...reader,
      balances: async () => {
        throw new Error('The node of chain 31337 failed at eth_call: missing trie node');
      },
    };
    await expect(followChain(ledger.worker, registered, forgetful)).rejects.toThrow('missing trie node');
    expect(await credited()).toEqual(['9']);
  });
});

describe('a token whose balances change by themselves', () => {
  const rebase = (to: bigint): Hex =>
    encodeFunctionData({ abi: parseAbi(['function rebase(uint256)']), functionName: 'rebase', args: [to] });

  it('credits no more than the log says when they grow in the same block', async () => {
    await payer.send({ to: elasticToken.address, data: elasticToken.call('transfer', payee.address, 1_000n) });
    await together(
      calling(payer, elasticToken.address, elasticToken.call('transfer', payee.address, 100n)),
      calling(payer, elasticToken.address, rebase(200n)),
    );
    expect(await credited()).toEqual(['1000', '100']);
  });

  it('credits what is left of it when they shrink in the same block, and nothing when nothing is', async () => {
    await together(
      calling(payer, elasticToken.address, elasticToken.call('transfer', payee.address, 4_000n)),
      calling(payer, elasticToken.address, rebase(150n)),
    );
    // Of 1,100 shares at 200 %, now 3,100 at 150 %: 4,650 less 2,200.
    expect(await credited()).toEqual(['2450']);
    await ledger.sql('delete from chain_transfers');
    await together(
      calling(payer, elasticToken.address, elasticToken.call('transfer', payee.address, 150n)),
      calling(payer, elasticToken.address, rebase(10n)),
    );
    expect(await credited()).toEqual([]);
  });
});

describe('a token whose transfer returns nothing', () => {
  it('is credited by its log, and may be registered with a symbol of one word', async () => {
    await payer.send({ to: silentToken.address, data: silentToken.call('transfer', payee.address, 5n) });
    expect(await credited()).toEqual(['5']);
    expect(await reader.symbolOf(silentToken.address)).toBe('SIL');
  });
});

it.each([elastic, fee, silent])(
  '$source was compiled from the source as it stands',
  async ({ source, sourceSha256 }) => {
    const text = await readFile(new URL(`./contracts/${source}`, import.meta.url), 'utf8');
    expect(createHash('sha256').update(text).digest('hex')).toBe(sourceSha256);
  },
);
