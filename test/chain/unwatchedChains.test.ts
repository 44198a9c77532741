import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaveChains } from '../../src/chain/commands/leaveChains.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { ChainSetting } from '../../src/environment.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { recheckWatched } from '../../src/payments/commands/recheckWatched.ts';
import { until } from '../local/children.ts';
import { expectBooksToBalance } from '../payments/books.ts';
import {
  CREATE_ORDER,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  type Payer,
  setDeadline,
  stateOf,
  toldOf,
} from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { type Person, signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { range } from './ledger.ts';

/** The chain that stays, and the one that is taken out of the settings and named again, which is behind a door. */
let kept: DevelopmentChain;
let left: DevelopmentChain;
let door: Door;
let database: TestDatabase;
let admin: pg.Client;
let house: TestTollhouse;
let merchant: Person;
/** What the gateway that runs has warned of. */
let warnings: { readonly msg: string; readonly chainId?: number; readonly what?: string }[];

let links: Readonly<
  Record<'onKept' | 'onLeft' | 'onBoth' | 'ofAnother', { readonly id: string; readonly slug: string }>
>;
let payer: Payer;
/** Orders of the chain that is left: one to be paid meanwhile, one whose time runs out, and one that is paid already. */
let orders: Readonly<Record<'awaited' | 'forgotten' | 'paid', Order>>;

beforeAll(async () => {
  [kept, left, database] = await Promise.all([
    openDevelopmentChain(),
    openDevelopmentChain({ chainId: 31_338 }),
    freshDatabase(),
  ]);
  door = await openDoor(left.rpcUrl);
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  await start(kept.setting, { ...left.setting, rpcUrl: door.url });
  const [one, other] = [way(kept), way(left)];
  links = {
    onKept: await makeLink({ house, merchant }, { accepts: [one] }),
    onLeft: await makeLink({ house, merchant }, { accepts: [other] }),
    onBoth: await makeLink({ house, merchant }, { accepts: [one, other] }),
    ofAnother: await makeLink({ house, merchant: await signIn(house) }, { accepts: [other] }),
  };
  payer = await newPayer({ chain: left });
  const order = () => makeOrder({ house }, { slug: links.onLeft.slug, payer: payer.address });
  orders = { awaited: await order(), forgotten: await order(), paid: await order() };
  await payer.pay(orders.paid);
  await left.node.mine({ blocks: 1 });
  await until(async () => (await stateOf({ sql }, orders.paid)).status === 'PAID');
});
afterAll(async () => {
  await house.stop();
  await admin.end();
  await door.close();
  await Promise.all([kept.stop(), left.stop(), database.drop()]);
});

const sql = async (text: string, ...values: unknown[]) => (await admin.query(text, values)).rows as never;
const way = ({ setting }: DevelopmentChain) => ({
  asset: `eip155:${setting.chainId}/erc20:${TEST_TOKEN_ADDRESS}`,
  amount: '12.5',
});

/** Starts a gateway of these chains on the database, and waits until it has read them. */
async function start(...chains: ChainSetting[]): Promise<void> {
  warnings = [];
  house = await startTollhouse({
    database: { ...database, drop: async () => {} },
    chains,
    log: pino({ level: 'warn' }, { write: (line) => void warnings.push(JSON.parse(line)) }),
  });
  merchant = await signIn(house, merchant?.account);
  for (const { chainId } of chains) await until(async () => (await stateOfChain(chainId)).state === 'READING');
}

interface Status {
  readonly state: string;
  readonly since: string;
  readonly reason: string | null;
  readonly headNumber: string;
}

async function stateOfChain(chainId: number): Promise<Partial<Status>> {
  const { data } = await house.ask<{ chains: { chainId: number; status: Status }[] }>(
    '{ chains { chainId status { state since reason headNumber } } }',
  );
  return data?.chains.find((chain) => chain.chainId === chainId)?.status ?? {};
}

async function degraded(): Promise<string[]> {
  const response = await fetch(new URL('/health/ready', house.url));
  expect(response.status).toBe(200);
  return ((await response.json()) as { degraded?: string[] }).degraded ?? [];
}

/** How links of these states are shown to their merchant. */
async function linksThatAre(...effectiveStatuses: string[]): Promise<string[]> {
  const { data } = await house.ask<{ organization: { paymentLinks: { edges: { node: { id: string } }[] } } }>(
    `query ($states: [PaymentLinkState!]) {
      organization { paymentLinks(filter: { states: $states }) { edges { node { id } } } }
    }`,
    { states: effectiveStatuses },
    { token: merchant.accessToken },
  );
  return data?.organization.paymentLinks.edges.map(({ node }) => node.id).sort() ?? [];
}

async function checkout(slug: string): Promise<unknown> {
  const { data } = await house.ask<{ checkout: unknown }>(
    'query ($slug: String!) { checkout(slug: $slug) { effectiveStatus accepts { chainWatched } } }',
    { slug },
  );
  return data?.checkout;
}

async function refusal(slug: string, asset?: string): Promise<unknown> {
  const { errors } = await house.ask(CREATE_ORDER, { input: { slug, payer: payer.address, ...(asset && { asset }) } });
  return errors[0]?.extensions;
}

const idsOf = (...some: readonly { readonly id: string }[]): string[] => some.map(({ id }) => id).sort();
const UNNAMED = 'CHAINS does not name a chain that was watched before';

describe('a chain that the settings name no more', () => {
  let headBefore: number;

  it('is told of in the log when a gateway starts, with all that waits there', async () => {
    const { id } = await stateOf({ sql }, orders.paid);
    const { errors } = await house.ask(
      'mutation ($input: RequestRefundInput!) { requestRefund(input: $input) { refund { id } } }',
      { input: { orderId: encodeGlobalId('PaymentOrder', id), amount: '1' } },
      { token: merchant.accessToken },
    );
    expect(errors).toEqual([]);
    await (await newPayer({ chain: left })).transfer(merchant.account.address, 700_000n);
    await until(async () => ((await sql('select from unmatched_payments')) as unknown[]).length === 1);
    expect(warnings).toEqual([]);
    await house.stop();
    headBefore = await headOf();
    await start(kept.setting);
    await until(() => warnings.length > 0);
    expect(warnings).toEqual([
      expect.objectContaining({
        msg: expect.stringContaining(UNNAMED),
        chainId: 31_338,
        name: 'Chain 31338',
        orders: 3,
        refunds: 1,
        unmatched: 1,
        voided: 0,
      }),
    ]);
  });

  it('is called unwatched once it was not read for two minutes, and not before', async () => {
    // of a gateway that is being started again nothing is said too early
    expect(await stateOfChain(31_338)).toMatchObject({ state: 'READING' });
    expect(await linksThatAre('CHAIN_NOT_WATCHED')).toEqual([]);
    expect(await leave(61)).toEqual([31_338n]);
    expect(await stateOfChain(31_338)).toMatchObject({ state: 'BEHIND' });
    expect(await degraded()).toEqual([]);
    expect(await leave()).toEqual([31_338n]);
    expect(await stateOfChain(31_338)).toMatchObject({
      state: 'UNWATCHED',
      since: expect.any(String),
      reason: 'CHAINS does not name it.',
    });
    expect(await degraded()).toEqual([
      expect.stringMatching(/^chain 31338 is UNWATCHED since \S+Z: CHAINS does not name it\.$/),
    ]);
    expect(await stateOfChain(31_337)).toMatchObject({ state: 'READING' });
  });

  it('makes links that can be paid nowhere else say so, and take no orders; others are paid elsewhere', async () => {
    expect(await checkout(links.onLeft.slug)).toEqual({
      effectiveStatus: 'CHAIN_NOT_WATCHED',
      accepts: [{ chainWatched: false }],
    });
    expect(await checkout(links.ofAnother.slug)).toMatchObject({ effectiveStatus: 'CHAIN_NOT_WATCHED' });
    expect(await checkout(links.onBoth.slug)).toEqual({
      effectiveStatus: 'ACTIVE',
      accepts: [{ chainWatched: true }, { chainWatched: false }],
    });
    expect(await refusal(links.onLeft.slug)).toMatchObject({
      code: 'LINK_INACTIVE',
      facts: { status: 'CHAIN_NOT_WATCHED' },
    });
    expect(await refusal(links.onBoth.slug, way(left).asset)).toMatchObject({
      code: 'CHAIN_NOT_WATCHED',
      retryable: false,
      facts: { chainId: 31_338 },
    });
    expect(await refusal(links.onBoth.slug, way(kept).asset)).toBeUndefined();
    expect(await refusal(links.onKept.slug)).toBeUndefined();
    expect(await linksThatAre('CHAIN_NOT_WATCHED')).toEqual(idsOf(links.onLeft));
    expect(await linksThatAre('ACTIVE')).toEqual(idsOf(links.onKept, links.onBoth));
  });

  it('is known to links that are made or changed meanwhile', async () => {
    const made = await makeLink({ house, merchant }, { accepts: [way(left)] });
    expect(await checkout(made.slug)).toMatchObject({ effectiveStatus: 'CHAIN_NOT_WATCHED' });
    const { errors } = await house.ask(
      'mutation ($input: UpdatePaymentLinkInput!) { updatePaymentLink(input: $input) { paymentLink { id } } }',
      { input: { paymentLinkId: made.id, accepts: [{ ...way(kept), payTo: merchant.account.address }] } },
      { token: merchant.accessToken },
    );
    expect(errors).toEqual([]);
    expect(await checkout(made.slug)).toEqual({ effectiveStatus: 'ACTIVE', accepts: [{ chainWatched: true }] });
  });

  it('leaves its orders as they are, paid or over by then, as long as nobody looks', async () => {
    await payer.pay(orders.awaited);
    await setDeadline({ sql }, orders.forgotten, new Date(Date.now() - 60_000));
    await left.node.mine({ blocks: 70 });
    expect(await stateOf({ sql }, orders.awaited)).toMatchObject({ status: 'CREATED' });
    expect(await stateOf({ sql }, orders.forgotten)).toMatchObject({ status: 'CREATED' });
    expect(await stateOf({ sql }, orders.paid)).toMatchObject({ status: 'PAID' });
  });

  it('goes on from where it was when it is named again: what was paid is paid, and what is over is over', async () => {
    await house.stop();
    await sql(`
      create table moves (place int generated always as identity, was bigint, became bigint);
      create function note_move() returns trigger language plpgsql security definer as $$
      begin
        insert into moves (was, became) values (old.head_number, new.head_number);
        return null;
      end $$;
      create trigger note_move after update of head_number on chain_incarnations for each row
        when (old.chain_id = 31338 and old.head_number <> new.head_number) execute function note_move()`);
    await start(kept.setting, { ...left.setting, rpcUrl: door.url });
    await until(async () => (await stateOf({ sql }, orders.awaited)).status === 'FINAL');
    await until(async () => (await stateOf({ sql }, orders.forgotten)).status === 'EXPIRED');
    await until(async () => (await stateOf({ sql }, orders.paid)).status === 'FINAL');
    expect(await toldOf({ sql }, orders.awaited)).toEqual(['created', 'paid', 'finalized']);
    expect(await toldOf({ sql }, orders.forgotten)).toEqual(['created', 'expired']);
    const [first] = (await sql('select was::int from moves order by place limit 1')) as { was: number }[];
    expect(first?.was).toBe(headBefore);
    const blocks = (await sql(
      `select b.number::int from chain_blocks b join chain_incarnations i on i.id = b.incarnation_id
       where i.chain_id = 31338 order by b.number`,
    )) as { number: number }[];
    const numbers = blocks.map(({ number }) => number);
    expect(numbers).toEqual(range(numbers[0] ?? 0, await headOf()));
    expect(warnings).toEqual([]);
    expect(await degraded()).toEqual([]);
    await expectBooksToBalance({ sql });
  });

  it('is watched again for its links from then on', async () => {
    expect(await checkout(links.onLeft.slug)).toEqual({ effectiveStatus: 'ACTIVE', accepts: [{ chainWatched: true }] });
    expect(await checkout(links.onBoth.slug)).toMatchObject({
      accepts: [{ chainWatched: true }, { chainWatched: true }],
    });
    expect(await checkout(links.ofAnother.slug)).toMatchObject({ effectiveStatus: 'ACTIVE' });
    expect(await linksThatAre('CHAIN_NOT_WATCHED')).toEqual([]);
    expect(await refusal(links.onLeft.slug)).toBeUndefined();
  });

  it('is so at the next look for a link that was being made in the moment in which that changed', async () => {
    await sql('update payment_link_accepts set unwatched = true');
    await sql('update payment_links set unwatched = true');
    expect(await checkout(links.onKept.slug)).toMatchObject({ effectiveStatus: 'CHAIN_NOT_WATCHED' });
    await leave();
    for (const { slug } of Object.values(links)) {
      expect(await checkout(slug)).toMatchObject({ effectiveStatus: 'ACTIVE' });
    }
  });
});

describe('a chain that another process watches', () => {
  it('is left alone by one whose settings do not name it, even while its node fails', async () => {
    door.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    await until(async () => ((await sql(FAILING)) as unknown[]).length > 0);
    expect(await leave()).toEqual([]);
    expect(await stateOfChain(31_338)).toMatchObject({ state: 'BEHIND' });
    door.intercept = () => false;
    await until(async () => (await stateOfChain(31_338)).state === 'READING');
  });

  it('is watched for all again as soon as whoever watches it has tried to read it', async () => {
    await sql('update chain_incarnations set unwatched_since = now() where chain_id = 31338');
    await until(async () => (await stateOfChain(31_338)).state === 'READING');
    expect(await checkout(links.onLeft.slug)).toMatchObject({ effectiveStatus: 'ACTIVE' });
    door.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    await until(async () => ((await sql(FAILING)) as unknown[]).length > 0);
    await sql(`update chain_incarnations set unwatched_since = now() where chain_id = 31338`);
    await until(async () => (await stateOfChain(31_338)).state !== 'UNWATCHED');
    door.intercept = () => false;
    await until(async () => (await stateOfChain(31_338)).state === 'READING');
  });
});

describe('what is swept', () => {
  it('is swept also where no link can be told of its chain', async () => {
    await house.stop();
    await sql('revoke execute on function recheck_watched(integer) from tollhouse_worker');
    await sql(`
      insert into idempotency_keys (
        organization_id, principal, operation, key_hash, request_hash, result_id, created_at, expires_at
      )
      select
        id, 'user:' || id, 'createPaymentLink', sha256('key'), sha256('request'), id, now() - interval '1 day',
        now() - interval '1 minute'
      from organizations limit 1`);
    await start(kept.setting);
    await until(() => warnings.some(({ what }) => what === 'unwatched chains'));
    await until(
      async () => ((await sql('select from idempotency_keys where expires_at < now()')) as unknown[]).length === 0,
    );
    await sql('grant execute on function recheck_watched(integer) to tollhouse_worker');
  });
});

const FAILING = 'select from chain_incarnations where failing_since is not null';

async function headOf(): Promise<number> {
  const [row] = (await sql('select head_number::int as head from chain_incarnations where chain_id = 31338')) as {
    head: number;
  }[];
  return row?.head ?? 0;
}

/** Two minutes later a process whose settings name one chain looks around; which chains has it found that nobody watches? */
async function leave(seconds = 121): Promise<bigint[]> {
  await sql(
    `update chain_incarnations set caught_up_at = now() - make_interval(secs => $1::int) where chain_id = 31338`,
    seconds,
  );
  const worker = { database: house.resources.database, log: pino({ level: 'silent' }), requestId: 'test-worker' };
  const found = await leaveChains(worker, { watched: [kept.setting.chainId] });
  await recheckWatched(worker);
  return found.map(({ chainId }) => chainId);
}
