import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { CREATE_ORDER, makeLink, makeOrder, newPayer, type Order, stateOf } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { type Person, signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';

/** Two chains of one gateway, each behind a door. */
let chains: readonly [DevelopmentChain, DevelopmentChain];
let doors: readonly [Door, Door];
let house: TestTollhouse;
let merchant: Person;
let admin: pg.Client;

beforeAll(async () => {
  chains = await Promise.all([openDevelopmentChain(), openDevelopmentChain({ chainId: 31_338 })]);
  doors = [await openDoor(`${chains[0].rpcUrl}`), await openDoor(chains[1].rpcUrl)];
  const [one, two] = chains.map(({ setting }, index) => ({ ...setting, rpcUrl: `${doors[index]?.url}/secret-key` }));
  if (!one || !two) throw new Error('There are two chains.');
  const thresholds = [{ fromUnits: 1_000_000_000n, finality: { kind: 'FINALIZED' } as const }];
  const assets = two.assets.map((asset) => (asset.address === undefined ? asset : { ...asset, thresholds }));
  house = await startTollhouse({ chains: [one, { ...two, assets, finality: { kind: 'SAFE' } }] });
  admin = new pg.Client({ connectionString: house.database.adminUrl });
  await admin.connect();
  merchant = await signIn(house);
  await until(async () => (await statuses()).length === 2);
  await untilRead();
});
afterEach(async () => {
  for (const door of doors) door.intercept = () => false;
  await untilRead();
});
afterAll(async () => {
  await admin.end();
  await house.stop();
  await Promise.all(doors.map((door) => door.close()));
  await Promise.all(chains.map((chain) => chain.stop()));
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(25);
}

const untilRead = (): Promise<void> =>
  until(async () => (await statuses()).every((status) => status?.state === 'READING' && !status.failingSince));

interface Status {
  readonly state: string;
  readonly since: string;
  readonly headNumber: string | null;
  readonly safeNumber: string | null;
  readonly finalizedNumber: string | null;
  readonly readAt: string | null;
  readonly failingSince: string | null;
  readonly reason: string | null;
}

const CHAINS = `{
  chains {
    chainId finality
    assets { symbol creditsBalanceDifference finality { fromAmount finality } }
    status { state since headNumber safeNumber finalizedNumber readAt failingSince reason }
  }
}`;

async function statuses(): Promise<(Status | null)[]> {
  const { data } = await house.ask<{ chains: { status: Status | null }[] }>(CHAINS);
  return data?.chains.map(({ status }) => status) ?? [];
}

const degraded = async (): Promise<string[]> => {
  const response = await fetch(new URL('/health/ready', house.url));
  expect(response.status).toBe(200);
  return ((await response.json()) as { degraded?: string[] }).degraded ?? [];
};

const tokenOf = ({ setting }: DevelopmentChain): string => `eip155:${setting.chainId}/erc20:${TEST_TOKEN_ADDRESS}`;

const sql = async (text: string, ...values: unknown[]) => (await admin.query(text, values)).rows as never;

const link = () =>
  makeLink({ house, merchant }, { accepts: chains.map((chain) => ({ asset: tokenOf(chain), amount: '12.5' })) });

const becomes = (order: Order, status: string): Promise<void> =>
  until(async () => (await stateOf({ sql }, order)).status === status);

describe('a gateway of two chains', () => {
  it('tells of each what payments need and how far it was read', async () => {
    const { data } = await house.ask<{ chains: unknown[] }>(CHAINS);
    const status = {
      state: 'READING',
      since: expect.any(String),
      headNumber: expect.any(String),
      safeNumber: expect.any(String),
      finalizedNumber: expect.any(String),
      readAt: expect.any(String),
      failingSince: null,
      reason: null,
    };
    const token = { symbol: 'TUSD', creditsBalanceDifference: false };
    expect(data?.chains).toMatchObject([
      { chainId: 31_337, finality: 'CONFIRMATIONS(2)', status, assets: [{ finality: [] }, { ...token, finality: [] }] },
      {
        chainId: 31_338,
        finality: 'SAFE',
        status,
        assets: [{ finality: [] }, { ...token, finality: [{ fromAmount: '1000', finality: 'FINALIZED' }] }],
      },
    ]);
  });

  it('tells what a payment of an amount needs, and refuses an amount that is none', async () => {
    const needed = (amount: string) =>
      house.ask<{ chains: { assets: { symbol: string; finalityFor: string }[] }[] }>(
        'query ($amount: Decimal!) { chains { assets { symbol finalityFor(amount: $amount) } } }',
        { amount },
      );
    const [small, large] = [await needed('999.999999'), await needed('1000')];
    const token = (finality: string) => ({ symbol: 'TUSD', finalityFor: finality });
    expect(small.data?.chains.map(({ assets }) => assets[1])).toEqual([token('CONFIRMATIONS(2)'), token('SAFE')]);
    expect(large.data?.chains.map(({ assets }) => assets[1])).toEqual([token('CONFIRMATIONS(2)'), token('FINALIZED')]);
    expect(large.data?.chains.map(({ assets }) => assets[0]?.finalityFor)).toEqual(['CONFIRMATIONS(2)', 'SAFE']);
    const { errors } = await needed('0.0000001');
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', facts: { reason: 'TOO_PRECISE' } });
  });

  it('takes orders on both, and pays each by its own chain’s payment alone', async () => {
    const { slug } = await link();
    const payers = [await newPayer({ chain: chains[0] }), await newPayer({ chain: chains[1] })] as const;
    const orders = [
      await makeOrder({ house }, { slug, payer: payers[0].address, asset: tokenOf(chains[0]) }),
      await makeOrder({ house }, { slug, payer: payers[1].address, asset: tokenOf(chains[1]) }),
    ] as const;
    expect(orders.map(({ paymentRequest }) => paymentRequest.chainId)).toEqual([31_337, 31_338]);
    await payers[0].pay(orders[0]);
    await chains[0].node.mine({ blocks: 1 });
    await becomes(orders[0], 'PAID');
    expect(await stateOf({ sql }, orders[1])).toMatchObject({ status: 'CREATED', credited: 0n });
    await payers[1].pay(orders[1]);
    await becomes(orders[1], 'CONFIRMING');
    await chains[1].node.mine({ blocks: 40 });
    await becomes(orders[1], 'PAID');
  });

  it('keeps what is sent to the merchant on the other chain than its link asks for', async () => {
    const { slug, payTo } = await makeLink(
      { house, merchant },
      { accepts: [{ asset: tokenOf(chains[0]), amount: '3' }] },
    );
    const payer = await newPayer({ chain: chains[1] });
    const order = await makeOrder({ house }, { slug, payer: payer.address });
    await payer.pay(order);
    const kept = () =>
      sql(
        `select i.chain_id, t.units::text, t.recipient from chain_transfers t
         join chain_incarnations i on i.id = t.incarnation_id where t.sender = $1`,
        payer.address,
      ) as Promise<unknown[]>;
    await until(async () => (await kept()).length > 0);
    expect(await kept()).toEqual([{ chain_id: '31338', units: '3000000', recipient: payTo }]);
    expect(await stateOf({ sql }, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('tells of the one whose node fails, how and since when, without the node’s address; the other goes on', async () => {
    doors[0].intercept = (_, response) => {
      response.writeHead(503).end(doors[0].url);
      return true;
    };
    await until(async () => (await statuses())[0]?.failingSince !== null);
    const [failing, fine] = await statuses();
    expect(failing).toMatchObject({
      state: 'READING',
      reason: expect.stringMatching(/^The node of chain 31337 failed at eth_\w+: /),
    });
    expect(fine).toMatchObject({ state: 'READING', failingSince: null, reason: null });
    const told = await degraded();
    expect(told).toEqual([expect.stringMatching(/^chain 31337 fails since \S+Z: The node of chain 31337 failed at /)]);
    expect(JSON.stringify([failing, told])).not.toMatch(/secret-key|127\.0\.0\.1/);
  });

  it('that cannot read the one for a minute takes orders on the other alone', async () => {
    const { slug } = await link();
    const { address: payer } = await newPayer({ chain: chains[1] });
    doors[0].intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    await until(async () => (await statuses())[0]?.failingSince !== null);
    await sql(`update chain_incarnations set caught_up_at = now() - interval '61 s' where chain_id = 31337`);
    const [behind, fine] = await statuses();
    expect(behind).toMatchObject({ state: 'BEHIND', since: behind?.readAt });
    expect(fine).toMatchObject({ state: 'READING' });
    expect(await degraded()).toEqual([expect.stringMatching(/^chain 31337 is BEHIND since /)]);
    const { errors } = await house.ask(CREATE_ORDER, { input: { slug, payer, asset: tokenOf(chains[0]) } });
    expect(errors).toMatchObject([{ extensions: { code: 'CHAIN_UNAVAILABLE', facts: { chainId: 31_337 } } }]);
    const order = await makeOrder({ house }, { slug, payer, asset: tokenOf(chains[1]) });
    expect(order.paymentRequest.chainId).toBe(31_338);
  });

  it('tells of the one that was halted, and why', async () => {
    await sql(
      `update chain_incarnations
       set halt_reason = 'The chain was reorganized too deep.', halted_at = '2026-01-01T00:00:00Z' where chain_id = 31338`,
    );
    expect((await statuses())[1]).toMatchObject({
      state: 'HALTED',
      since: '2026-01-01T00:00:00.000Z',
      reason: 'The chain was reorganized too deep.',
    });
    expect(await degraded()).toEqual([
      'chain 31338 is HALTED since 2026-01-01T00:00:00.000Z: The chain was reorganized too deep.',
    ]);
    await sql('update chain_incarnations set halt_reason = null, halted_at = null where chain_id = 31338');
  });
});
