import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RegisteredChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import type { ChainTransferData } from '../../src/ports.ts';
import {
  expectTruthOf,
  type Kept,
  keptOf,
  type Ledger,
  openLedger,
  range,
  TOKEN,
  type Transfer,
  transfersOf,
} from './ledger.ts';
import { type ScriptedChain, scriptedChain, transferTo } from './scriptedChain.ts';

const PAYEE = `0x${'aa'.repeat(20)}`;

let ledger: Ledger;
let node: ScriptedChain;
let chain: RegisteredChain;

beforeAll(async () => {
  ledger = await openLedger();
});
// Each test has a history of its own: to the ledger it is the chain, reset.
beforeEach(async () => {
  node = scriptedChain();
  chain = await ledger.register(node.reader);
  await ledger.sql(`insert into watched_accounts (chain_id, address) values (31337, $1) on conflict do nothing`, PAYEE);
});
afterAll(() => ledger.close());

const follow = (): ReturnType<typeof followChain> => followChain(ledger.worker, chain, node.reader);

const kept = (): Promise<Kept> => keptOf(ledger, chain);
const transfers = (): Promise<Transfer[]> => transfersOf(ledger, chain);
const expectTruth = (): Promise<void> => expectTruthOf(ledger, chain, node);

describe('following a chain', () => {
  it('begins at its finalized head, and reads every block from there', async () => {
    node.mine(30);
    expect(await follow()).toBe('following');
    expect(await kept()).toMatchObject({ head: 30, finalized: 22, haltReason: null, blocks: range(22, 30) });
    await expectTruth();
  });

  it('goes on where it was, past more blocks than it reads at a time', async () => {
    await follow();
    node.mine(130);
    await follow();
    expect(await kept()).toMatchObject({ head: 130, blocks: range(112, 130) });
    await expectTruth();
  });

  it('says up to when everything was read, and not before it was', async () => {
    node.mine(3);
    expect((await kept()).caughtUp).toBeNull();
    const [before] = await ledger.sql<{ now: Date }>('select clock_timestamp() as now');
    await follow();
    const [after] = await ledger.sql<{ now: Date }>('select clock_timestamp() as now');
    const { caughtUp } = await kept();
    expect(caughtUp?.getTime()).toBeGreaterThanOrEqual(before?.now.getTime() ?? Number.POSITIVE_INFINITY);
    expect(caughtUp?.getTime()).toBeLessThanOrEqual(after?.now.getTime() ?? 0);
  });

  it('says up to which time no block is still to come, not while blocks were taken back', async () => {
    const readUntil = async (): Promise<unknown> => {
      const [row] = await ledger.sql('select read_until from chain_incarnations where id = $1', chain.incarnationId);
      return row?.read_until;
    };
    node.mine(20);
    await follow();
    expect(await readUntil()).toEqual(new Date(1_700_000_020_000));
    node.drop(3);
    node.mine(2);
    await follow();
    expect([(await kept()).head, await readUntil()]).toEqual([17, null]);
    await follow();
    expect([(await kept()).head, await readUntil()]).toEqual([19, new Date(1_700_000_019_000)]);
  });

  it('says when the head was asked for that moved last', async () => {
    node.mine(3);
    await follow();
    const { caughtUp: first } = await kept();
    await follow();
    expect((await kept()).caughtUp).toEqual(first);
    node.mine();
    await follow();
    expect((await kept()).caughtUp?.getTime()).toBeGreaterThan(first?.getTime() ?? Number.POSITIVE_INFINITY);
  });

  it('keeps ten blocks below the finalized one, and forgets the rest', async () => {
    await follow();
    node.mine(40);
    await follow();
    expect((await kept()).blocks).toEqual(range(22, 40));
  });

  it('records transfers to watched accounts, of registered assets, each once with its place', async () => {
    await follow();
    const transactionHash = transferTo(PAYEE).transactionHash;
    const input = Buffer.from('c0ffee', 'hex');
    const large = transferTo(PAYEE, { transactionHash, ordinal: 3, token: TOKEN, units: 2n ** 256n - 1n, input });
    const native = transferTo(PAYEE, { transactionHash, units: 2n ** 53n + 1n, input });
    node.mine(1, [
      native,
      large,
      transferTo(`0x${'bb'.repeat(20)}`),
      transferTo(PAYEE, { token: `0x${'0b'.repeat(20)}`, ordinal: 0 }),
    ]);
    await follow();
    const written = await ledger.sql(
      `select t.ordinal, a.symbol, t.units::text, encode(t.input, 'hex') as input, t.block_time, t.judged_at
       from chain_transfers t join assets a on a.id = t.asset_id
       where t.incarnation_id = $1 order by t.ordinal`,
      chain.incarnationId,
    );
    const block_time = new Date(1_700_000_001_000);
    expect(written).toEqual([
      { ordinal: -1, symbol: 'ETH', units: '9007199254740993', input: 'c0ffee', block_time, judged_at: null },
      { ordinal: 3, symbol: 'TUSD', units: (2n ** 256n - 1n).toString(), input: 'c0ffee', block_time, judged_at: null },
    ]);
  });
});

describe('a transaction of many transfers and of as much calldata as a chain takes', () => {
  const input = Buffer.alloc(120_000, 0xab);
  const many = (recipient: string, count: number): ChainTransferData[] => {
    const { transactionHash } = transferTo(recipient);
    return Array.from({ length: count }, (_, ordinal) =>
      transferTo(recipient, { transactionHash, ordinal, token: TOKEN, input }),
    );
  };

  it('to an account that nobody watches does not hold up the chain, nor the payment beside it', async () => {
    await follow();
    const paid = transferTo(PAYEE);
    node.mine(1, [...many(`0x${'bb'.repeat(20)}`, 1_600), paid]);
    expect(await follow()).toBe('following');
    expect(await kept()).toMatchObject({ head: 1 });
    expect(await transfers()).toMatchObject([{ hash: paid.transactionHash, ordinal: -1 }]);
    await expectTruth();
  });

  it('to a watched account is recorded whole, in more portions than one', async () => {
    await follow();
    const transactions = Array.from({ length: 20 }, () => many(PAYEE, 2)).flat();
    node.mine(1, [...transactions, ...many(PAYEE, 100)]);
    expect(await follow()).toBe('following');
    const written = await ledger.sql(
      `select count(*)::int, count(distinct transaction_hash)::int as hashes
       from chain_transfers where incarnation_id = $1 and input = $2`,
      chain.incarnationId,
      input,
    );
    expect(written).toEqual([{ count: 140, hashes: 21 }]);
    await expectTruth();
  });
});

describe('a transfer that is mined again', () => {
  it('is what the new block says it is', async () => {
    await follow();
    const before = transferTo(PAYEE, { token: TOKEN, ordinal: 0, units: 5n });
    node.mine(1, [before]);
    await follow();
    const sender = `0x${'cc'.repeat(20)}`;
    node.drop(1);
    node.mine(2, [{ ...before, token: null, sender, units: 3n }]);
    await follow();
    await follow();
    const written = await ledger.sql(
      `select a.symbol, t.sender, t.units::text, t.orphaned, t.judged_at
       from chain_transfers t join assets a on a.id = t.asset_id where t.incarnation_id = $1`,
      chain.incarnationId,
    );
    expect(written).toEqual([{ symbol: 'ETH', sender, units: '3', orphaned: false, judged_at: null }]);
  });
});

describe('a node that lags behind', () => {
  it('is waited for, and nothing is taken back', async () => {
    node.mine(20, [transferTo(PAYEE)]);
    await follow();
    const before = await kept();
    node.lag = 5n;
    expect(await follow()).toBe('waiting');
    expect(await kept()).toEqual(before);
    node.lag = 0n;
    node.mine();
    expect(await follow()).toBe('following');
    await expectTruth();
  });

  it('is waited for when it knows less than anything that is kept', async () => {
    node.mine(60);
    await follow();
    node.lag = 50n;
    expect(await follow()).toBe('waiting');
    expect(await kept()).toMatchObject({ head: 60, haltReason: null });
  });

  it('is waited for when it has not the block that it says is its head', async () => {
    node.mine(20);
    await follow();
    const before = await kept();
    node.fault = (call) => (call === 'hash' ? 'null' : undefined);
    expect(await follow()).toBe('waiting');
    expect(await kept()).toEqual(before);
  });

  it('is waited for when it forgets blocks while they are walked back over', async () => {
    node.mine(20);
    await follow();
    const before = await kept();
    node.drop(3);
    node.mine(3);
    node.fault = (call, number) => (call === 'hash' && number < 20n ? 'null' : undefined);
    expect(await follow()).toBe('waiting');
    expect(await kept()).toEqual(before);
    node.fault = () => undefined;
    await follow();
    await follow();
    await expectTruth();
  });

  it('does not make what is final less so, and what it calls final is only what was read', async () => {
    node.mine(30);
    await follow();
    node.finalized = 5n;
    node.mine();
    await follow();
    expect(await kept()).toMatchObject({ head: 31, finalized: 22 });
    node.finalized = 500n;
    node.mine();
    await follow();
    expect(await kept()).toMatchObject({ head: 32, finalized: 32, blocks: range(22, 32) });
    node.mine();
    await follow();
    await expectTruth();
  });
});

describe('what the chain calls safe', () => {
  it('is kept beside what it calls final, never falls, and is only what was read', async () => {
    node.mine(30);
    await follow();
    expect(await kept()).toMatchObject({ head: 30, safe: 26, finalized: 22 });
    node.safe = 5n;
    node.mine();
    await follow();
    expect(await kept()).toMatchObject({ head: 31, safe: 26 });
    node.safe = 500n;
    node.mine();
    await follow();
    expect(await kept()).toMatchObject({ head: 32, safe: 32, finalized: 24 });
  });

  it('is at least what it calls final, where it says nothing of safe blocks', async () => {
    node.safe = 0n;
    node.mine(30);
    await follow();
    expect(await kept()).toMatchObject({ safe: 22, finalized: 22 });
  });
});

describe('a node that fails', () => {
  it.each(['head', 'safe', 'finalized', 'hash', 'block'] as const)(
    'at %s is asked again, and nothing is lost',
    async (broken) => {
      node.mine(5);
      await follow();
      node.mine(70, [transferTo(PAYEE)]);
      node.fault = (call, number) => (call === broken && (call !== 'block' || number === 70n) ? 'fail' : undefined);
      await expect(follow()).rejects.toThrow(`failed at ${broken}`);
      const { head } = await kept();
      expect(head).toBe(broken === 'block' ? 69 : 5);
      node.fault = () => undefined;
      await follow();
      expect(await kept()).toMatchObject({ head: 75 });
      expect(await transfers()).toHaveLength(1);
      await expectTruth();
    },
  );

  it('does not count as read to the head', async () => {
    await follow();
    const { caughtUp } = await kept();
    node.mine(5);
    node.fault = (call, number) => (call === 'block' && number === 3n ? 'null' : undefined);
    await follow();
    expect(await kept()).toMatchObject({ head: 2, caughtUp });
    node.fault = () => undefined;
    await follow();
    expect((await kept()).caughtUp).not.toEqual(caughtUp);
    await expectTruth();
  });
});

describe('two watchers at once', () => {
  it('write each block once, and one of them gives way', async () => {
    await follow();
    for (let round = 0; round < 10; round += 1) {
      node.mine(3, [transferTo(PAYEE)]);
      const outcomes = await Promise.allSettled([follow(), follow()]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(String(outcome.reason)).toContain('Another watcher has moved');
      }
    }
    await follow();
    expect(await kept()).toMatchObject({ head: 30 });
    expect(await transfers()).toHaveLength(10);
    await expectTruth();
  });
});
