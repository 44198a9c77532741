import pino from 'pino';
import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import type { ChainTransferData } from '../../src/ports.ts';
import { calm, changeable, disturb } from '../chain/chance.ts';
import { SETTING } from '../chain/ledger.ts';
import { scriptedChain, transferTo } from '../chain/scriptedChain.ts';
import { type Person, signIn } from '../support/person.ts';
import { FULL, seeded } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { expectBooksToBalance } from './books.ts';
import { makeLink, makeOrder, type Order, stateOf, TUSD, toldOf } from './market.ts';

let house: TestTollhouse;
let merchant: Person;
beforeAll(async () => {
  house = await startTollhouse();
  merchant = await signIn(house);
});
afterAll(() => house.stop());

const sql = <Row>(text: string, ...values: unknown[]): Promise<Row[]> => house.database.sql(text, values);

const TOKEN = TEST_TOKEN_ADDRESS.toLowerCase();
const DUE = 10n;
/** In which parts an order of ten units is paid; some are never paid in full. */
const PLANS: readonly (readonly bigint[])[] = [[10n], [3n, 7n], [4n], [1n, 2n, 7n], []];

interface Planned {
  readonly order: Order;
  readonly transfers: readonly ChainTransferData[];
}

async function plan(slug: string, payTo: string, payer: Hex, parts: readonly bigint[]): Promise<Planned> {
  const order = await makeOrder({ house }, { slug, payer });
  const input = Buffer.from(order.paymentRequest.data.slice(2), 'hex');
  const transfers = parts.map((units) => transferTo(payTo, { token: TOKEN, ordinal: 0, sender: payer, units, input }));
  return { order, transfers };
}

describe('any sequence of payments, reorganizations and faults', () => {
  const ROUNDS = FULL ? 60 : 3;

  it.each(Array.from({ length: ROUNDS }, (_, seed) => seed + 1))('of seed %i ends in balanced books', async (seed) => {
    const random = seeded(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const node = scriptedChain();
    const worker = { database: house.resources.database, log: pino({ level: 'silent' }), requestId: 'test-worker' };
    const setting = { ...SETTING, assets: [{ address: TOKEN, symbol: 'TUSD', name: 'Toll Test Dollar', decimals: 6 }] };
    const chain = await registerChain(worker, { setting, reader: node.reader });
    const watch = async (): Promise<void> => {
      await followChain(worker, chain, node.reader);
      await settleOrders(worker, chain);
    };
    await watch();
    const { slug, payTo } = await makeLink({ house, merchant }, { accepts: [{ asset: TUSD, amount: '0.00001' }] });

    const planned: Planned[] = [];
    const pool: ChainTransferData[] = [];
    let longest = 0;
    for (let step = 0; step < 40; step += 1) {
      if (step % 4 === 0) {
        // Two payers share all orders, so that most transfers fit several.
        const payer: Hex = `0x${String(1 + below(2)).repeat(40)}`;
        const next = await plan(slug, payTo, payer, PLANS[below(PLANS.length)] ?? []);
        planned.push(next);
        pool.push(...next.transfers);
      }
      if (below(3) === 0) pool.push(...node.drop(Math.min(below(5), changeable(node))));
      for (let blocks = below(4); blocks > 0; blocks -= 1) {
        node.mine(1, pool.splice(below(pool.length + 1), below(3)));
      }
      longest = Math.max(longest, node.blocks.length);
      disturb(node, below, 40);
      await watch().catch(() => undefined);
    }
    calm(node);
    // what is gone is given back once the new chain is as long as the old one was
    node.mine(Math.max(3, longest - node.blocks.length));
    for (let round = 0; round < 3; round += 1) await watch();

    const standing = new Set(node.blocks.flatMap(({ transfers }) => transfers.map((one) => one.transactionHash)));
    for (const { order, transfers } of planned) {
      const arrived = transfers.filter(({ transactionHash }) => standing.has(transactionHash));
      const credited = arrived.reduce((total, { units }) => total + units, 0n);
      const { status, ...state } = await stateOf({ sql }, order);
      expect(state).toMatchObject({ credited });
      expect(credited === DUE ? ['PAID', 'FINAL'] : [credited === 0n ? 'CREATED' : 'DETECTED']).toContain(status);
      const told = await toldOf({ sql }, order);
      const count = (type: string): number => told.filter((one) => one === type).length;
      const isPaid = credited === DUE ? 1 : 0;
      expect(count('paid') + count('reinstated') - count('reversed')).toBe(isPaid);
    }
    await expectBooksToBalance({ sql });
  });
});
