import { setTimeout as sleep } from 'node:timers/promises';
import { erc20Abi, type Hex, parseAbiItem } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { withSession } from '../../src/database/session.ts';
import { clearLeftovers, leftovers, makeRoot, until } from '../local/children.ts';
import { expectBooksToBalance } from '../payments/books.ts';
import { makeLink, TUSD } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { signIn } from '../support/person.ts';
import { FULL, SEED, seeded } from '../support/scale.ts';
import { startTollhouse } from '../support/tollhouse.ts';
import { type StartedGateway, startGateway } from './gateways.ts';
import { type MortalPostgres, openMortalPostgres } from './mortalPostgres.ts';
import { type FaultyNode, openFaultyNode } from './simulation/faultyNode.ts';
import { type ShakenChain, shake } from './simulation/shakenChain.ts';
import { type Attempt, gatherShoppers, shop } from './simulation/shoppers.ts';

const ATTEMPTS = FULL ? 2_000 : 100;
const KILLS = FULL ? 20 : 1;
const SHOPPERS = FULL ? 24 : 10;
/** How long after the last disturbance everything must have settled. */
const LONGEST_SETTLING_MS = 60_000;

/** Seeds with which something was once lost, and one that nobody knows before; `TOLLHOUSE_TEST_SEED` names another. */
const FAILED_ONCE: readonly number[] = [];
const SEEDS = [...FAILED_ONCE, SEED];

interface Stage {
  readonly postgres: MortalPostgres;
  readonly chain: DevelopmentChain;
  readonly shaken: ShakenChain;
  readonly nodes: readonly FaultyNode[];
  readonly gateways: StartedGateway[];
  /** Starts the gateway of this place again. */
  revive(place: number): Promise<void>;
  sql<Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]>;
}

function isRunning({ process: { exitCode, signalCode } }: StartedGateway): boolean {
  return exitCode === null && signalCode === null;
}

/** A database that dies, a chain that changes its mind, and two gateways with a watcher each, behind bad providers. */
async function openStage(random: () => number): Promise<Stage> {
  const postgres = await openMortalPostgres();
  // It keeps all states in memory: of those that it has put aside, reorganizations make anvil forget the contracts.
  const chain = await openDevelopmentChain({ flags: ['--prune-history', '20000'] });
  leftovers.push(() => chain.stop());
  const nodes = [await openFaultyNode(chain.rpcUrl, random), await openFaultyNode(chain.rpcUrl, random)];
  for (const node of nodes) leftovers.push(() => node.close());
  const folders = nodes.map(() => makeRoot());
  const gateways: StartedGateway[] = [];
  const revive = async (place: number): Promise<void> => {
    const chains = [{ ...chain.setting, rpcUrl: nodes[place]?.url, finality: 'CONFIRMATIONS(2)' }];
    gateways[place] = await startGateway(folders[place] ?? '', {
      DATABASE_URL: postgres.database.gatewayUrl,
      CHAINS: JSON.stringify(chains),
      TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '1',
    });
  };
  leftovers.push(() => Promise.all(gateways.filter(isRunning).map((gateway) => gateway.interrupt())));
  await Promise.all(nodes.map((_, place) => revive(place)));
  return {
    postgres,
    chain,
    shaken: shake(chain),
    nodes,
    gateways,
    revive,
    sql: (text, ...values) =>
      withSession(postgres.database.adminUrl, async (client) => (await client.query(text, values)).rows as never),
  };
}

/** Kills and reorganizes until the shoppers are through, and at least so often. */
async function disturb(stage: Stage, random: () => number, isOver: () => boolean): Promise<number> {
  let reorganizations = 0;
  const shaking = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      await sleep(random() * 400);
      await stage.shaken.mine(1 + Math.floor(random() * 3));
      if (random() < 0.4) {
        await stage.shaken.reorganize(1 + Math.floor(random() * 12), random);
        reorganizations += 1;
      }
    }
  };
  let killed = 0;
  const killing = async (): Promise<void> => {
    for (; killed < KILLS; killed += 1) {
      await sleep(random() * 1_500);
      await stage.postgres.kill();
      await sleep(random() * 500);
      await stage.postgres.start();
      await sleep(random() * 1_500);
      const place = killed % stage.gateways.length;
      const gateway = stage.gateways[place];
      process.kill(-(gateway?.pid ?? 0), 'SIGKILL');
      await gateway?.ended;
      await stage.revive(place);
    }
  };
  await Promise.all([killing(), shaking(() => isOver() && killed === KILLS)]);
  return reorganizations;
}

interface Standing {
  readonly mark: string;
  readonly units: bigint;
}

/** Calldata of a transfer with nothing behind it. */
const BARE_LENGTH = 2 + 2 * (4 + 32 + 32);

/** The transfers to the payee that the chain has now, with what each is known by. */
async function standingTransfers({ chain }: Stage, payTo: string): Promise<Standing[]> {
  const logs = await chain.public.getLogs({
    address: TEST_TOKEN_ADDRESS,
    event: parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)'),
    args: { to: payTo as Hex },
    fromBlock: 0n,
  });
  return Promise.all(
    logs.map(async ({ transactionHash, args }) => {
      const { input } = await chain.public.getTransaction({ hash: transactionHash });
      const units = args.value ?? 0n;
      return { mark: input.length === BARE_LENGTH ? units.toString() : `0x${input.slice(-32)}`, units };
    }),
  );
}

interface Outcome {
  readonly status: string;
  readonly credited: bigint;
}

/** What an attempt must have come to, with what stands of what was sent for it. */
function outcomeOf(due: bigint, standing: readonly bigint[]): Outcome {
  const sum = standing.reduce((total, units) => total + units, 0n);
  // A second full payment is never added.
  const credited = standing.length === 2 && standing.every((units) => units === due) ? due : sum;
  if (credited >= due) return { status: 'FINAL', credited };
  return { status: credited === 0n ? 'CREATED' : 'DETECTED', credited };
}

async function outcomes({ sql }: Stage): Promise<Map<string, Outcome>> {
  const rows = await sql<{ mark: string; status: string; credited: string }>(`
    select
      case matching when 'UNIQUE_AMOUNT' then due_units::text else '0x' || encode(reference, 'hex') end as mark,
      status::text as status, credited_units::text as credited
    from payment_orders`);
  return new Map(rows.map(({ mark, status, credited }) => [mark, { status, credited: BigInt(credited) }]));
}

afterAll(clearLeftovers);

describe.each(SEEDS)('payments of seed %i, through kills, reorganizations and bad providers', (seed) => {
  let stage: Stage;
  let payTo: string;
  let attempts: readonly Attempt[];
  let expected: ReadonlyMap<string, Outcome>;

  beforeAll(async () => {
    console.log(`simulation: TOLLHOUSE_TEST_SEED=${seed}`);
    const random = seeded(seed);
    stage = await openStage(random);
    const { shaken, gateways, postgres } = stage;
    const shoppers = await gatherShoppers(stage.chain, SHOPPERS);
    const house = await startTollhouse({ database: postgres.database });
    await until(async () => (await house.ask<{ chains: unknown[] }>('{ chains { name } }')).data?.chains.length);
    const merchant = await signIn(house);
    const [byReference, byAmount] = await Promise.all([
      makeLink({ house, merchant }, { accepts: [{ asset: TUSD, amount: '0.001' }] }),
      makeLink({ house, merchant }),
    ]);
    await house.stop();
    payTo = byReference.payTo;

    let over = false;
    const shopping = shop({
      ask: (query, variables) => {
        const gateway = gateways[Math.floor(random() * gateways.length)];
        if (!gateway) throw new Error('There is no gateway.');
        return gateway.ask(query, variables);
      },
      chain: shaken,
      shoppers,
      slugs: { byReference: byReference.slug, byAmount: byAmount.slug },
      attempts: ATTEMPTS,
      random,
    }).finally(() => {
      over = true;
    });
    const [made, reorganizations] = await Promise.all([shopping, disturb(stage, random, () => over)]);
    attempts = made;
    await shaken.putBack();
    for (const node of stage.nodes) node.calm();
    // As many as make final what is there.
    await shaken.mine(80);
    const failed = stage.nodes.reduce((total, node) => total + node.failed(), 0);
    const lagged = stage.nodes.reduce((total, node) => total + node.lagged(), 0);
    console.log(`${reorganizations} reorganizations, ${failed} calls failed, ${lagged} answered late`);
  }, 1_800_000);

  it('settle, all of them, within a minute', { timeout: 120_000 }, async () => {
    const standing = await standingTransfers(stage, payTo);
    expected = new Map(
      attempts.map(({ mark, due }) => [
        mark,
        outcomeOf(
          due,
          standing.filter((one) => one.mark === mark).map(({ units }) => units),
        ),
      ]),
    );
    const wrong = async (): Promise<unknown[]> => {
      const found = await outcomes(stage);
      return [...expected]
        .filter(([mark, { status, credited }]) => {
          const outcome = found.get(mark);
          return outcome?.status !== status || outcome.credited !== credited;
        })
        .map(([mark, outcome]) => ({ mark, expected: outcome, found: found.get(mark) }));
    };
    const begun = performance.now();
    while ((await wrong()).length > 0 && performance.now() - begun < LONGEST_SETTLING_MS) await sleep(250);
    console.log(`settled ${Math.round(performance.now() - begun)} ms after the last disturbance`);
    expect(await wrong()).toEqual([]);
  });

  it('are one order an attempt, and nobody is told twice that one is paid', async () => {
    expect((await outcomes(stage)).size).toBe(ATTEMPTS);
    const told = await stage.sql(`
      select o.id
      from payment_orders o
      join events e on e.organization_id = o.organization_id and e.aggregate_id = o.id
      group by o.id, o.status
      having
        count(*) filter (where e.type in ('payment-order.paid', 'payment-order.reinstated'))
          - count(*) filter (where e.type = 'payment-order.reversed')
          <> (o.status in ('PAID', 'FINAL'))::int`);
    expect(told).toEqual([]);
  });

  it('add up to what the chain says, each transfer once', async () => {
    const balance = await stage.chain.public.readContract({
      address: TEST_TOKEN_ADDRESS,
      abi: erc20Abi,
      functionName: 'balanceOf',
      args: [payTo as Hex],
    });
    const [books] = await stage.sql<{ credited: string; kept: string; inbox: string }>(`
      select
        (
          select coalesce(sum(c.units), 0)
          from payment_credits c
          where c.reversed_at is null
        )::text as credited,
        (
          select coalesce(sum(t.units), 0)
          from chain_transfers t
          where not t.orphaned and t.claimed_for_id is null
        )::text as kept,
        (
          select coalesce(sum(b.units), 0)
          from unmatched_payments u
          join blockchain_transactions b
            on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
          where u.status = 'OPEN'
        )::text as inbox`);
    expect(BigInt(books?.credited ?? 0) + BigInt(books?.kept ?? 0)).toBe(balance);
    expect(books?.inbox).toBe(books?.kept);
    const [{ sum }] = (await stage.sql<{ sum: string }>(
      'select sum(credited_units)::text as sum from payment_orders',
    )) as [{ sum: string }];
    expect(BigInt(sum)).toBe(BigInt(books?.credited ?? 0));
    await expectBooksToBalance(stage);
  });
});
