import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { watchAccounts } from '../../src/chain/commands/watchAccounts.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { type Ledger, openLedger, SETTING, TOKEN } from './ledger.ts';
import { type ScriptedChain, scriptedChain, transferTo } from './scriptedChain.ts';

const OWN_KEY = `0x${'aa'.repeat(20)}`;
/** Its own key as well, though code stands behind it (EIP-7702). */
const DELEGATED = `0x${'ab'.repeat(20)}`;
const CONTRACT = `0x${'cc'.repeat(20)}`;
/** An account that is nobody's wallet. */
const NOBODY = `0x${'dd'.repeat(20)}`;

let ledger: Ledger;
const nodes = new Map<number, ScriptedChain>();
const registered = new Map<number, RegisteredChain>();

beforeAll(async () => {
  ledger = await openLedger();
  const scope = ledger.worker.database.as({ kind: 'worker', requestId: 'test' });
  await ledger.sql('grant insert on watched_accounts to tollhouse_worker');
  await ledger.sql('create policy test_insert on watched_accounts for insert to tollhouse_worker with check (true)');
  await ledger.sql(
    `with person as (insert into users (display_name) values ('Somebody') returning id)
     insert into identities (user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source)
     select person.id, 'WALLET', issuer, address, address, chain_id, kind::wallet_kind, 'EXTERNAL'
     from person, (values
       ('eip155', $1, null::bigint, 'EOA'), ('eip155', $2, null, 'EOA_7702'), ('eip155:1', $3, 1, 'CONTRACT')
     ) as wallet (issuer, address, chain_id, kind)`,
    OWN_KEY,
    DELEGATED,
    CONTRACT,
  );
  const accounts = [OWN_KEY, DELEGATED, CONTRACT, NOBODY].map((address) => ({ chainId: 1n, address }));
  // Twice at once, and once more: nobody is in the other's way.
  await Promise.all([1, 2].map(() => scope.write((tx) => [watchAccounts(tx, accounts)])));
  await scope.write((tx) => [watchAccounts(tx, [{ chainId: 2n, address: OWN_KEY }])]);
});
beforeEach(async () => {
  await ledger.sql('delete from chain_transfers');
});
afterAll(() => ledger.close());

/** Registers a chain, and reads it up to now. */
async function open(chainId: number): Promise<void> {
  const node = scriptedChain(chainId);
  nodes.set(chainId, node);
  const setting = { ...SETTING, chainId };
  registered.set(chainId, await registerChain(ledger.worker, { setting, reader: node.reader }));
  await follow(chainId);
}

async function follow(chainId: number): Promise<void> {
  const [chain, node] = [registered.get(chainId), nodes.get(chainId)];
  if (chain && node) await followChain(ledger.worker, chain, node.reader);
}

/** What was recorded, by chain and recipient. */
async function recorded(): Promise<string[]> {
  const rows = await ledger.sql<{ text: string }>(
    `select i.chain_id || ' ' || substr(t.recipient, 3, 2) || ' ' || a.symbol as text
     from chain_transfers t
     join chain_incarnations i on i.id = t.incarnation_id
     join assets a on a.id = t.asset_id
     order by 1`,
  );
  return rows.map(({ text }) => text);
}

describe('a wallet of its own key', () => {
  it('is watched on every chain, once, however often that is asked for; a contract on its own, and so is a stranger', async () => {
    expect(await ledger.sql('select chain_id, address from watched_accounts order by address')).toEqual([
      { chain_id: null, address: OWN_KEY },
      { chain_id: null, address: DELEGATED },
      { chain_id: '1', address: CONTRACT },
      { chain_id: '1', address: NOBODY },
    ]);
  });

  it('has what it is sent recorded on every chain, also of one that is configured later', async () => {
    await open(1);
    await open(2);
    for (const chainId of [1, 2]) {
      nodes
        .get(chainId)
        ?.mine(1, [
          transferTo(OWN_KEY),
          transferTo(OWN_KEY, { token: TOKEN, ordinal: 0 }),
          transferTo(CONTRACT),
          transferTo(DELEGATED),
          transferTo(`0x${'bb'.repeat(20)}`),
        ]);
      await follow(chainId);
    }
    expect(await recorded()).toEqual([
      '1 aa ETH',
      '1 aa TUSD',
      '1 ab ETH',
      '1 cc ETH',
      '2 aa ETH',
      '2 aa TUSD',
      '2 ab ETH',
    ]);
    await open(3);
    nodes.get(3)?.mine(1, [transferTo(OWN_KEY), transferTo(CONTRACT)]);
    await follow(3);
    expect(await recorded()).toContain('3 aa ETH');
    expect(await recorded()).not.toContain('3 cc ETH');
  });

  it('has it recorded in ranges of final blocks as well', async () => {
    nodes.get(2)?.mine(1, [transferTo(OWN_KEY), transferTo(CONTRACT)]);
    nodes.get(2)?.mine(200);
    await follow(2);
    expect(await recorded()).toEqual(['2 aa ETH']);
  });
});
