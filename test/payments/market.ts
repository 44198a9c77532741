import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import pino from 'pino';
import { concatHex, encodeFunctionData, erc20Abi, type Hex, type PrivateKeyAccount, parseAbi, slice } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { WorkerContext } from '../../src/context.ts';
import { reviewForsakenOrders, settleOrders } from '../../src/payments/jobs.ts';
import type { ChainReader } from '../../src/ports.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { type Person, signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

export const TUSD = `eip155:31337/erc20:${TEST_TOKEN_ADDRESS}`;
export const ETH = 'eip155:31337/slip44:60';
const NATIVE_WEI = 10n ** 18n;

/** A real gateway and a real chain whose blocks come when a test sends or mines, watched when a test says so. */
export interface Market {
  readonly house: TestTollhouse;
  readonly chain: DevelopmentChain;
  readonly worker: WorkerContext;
  readonly reader: ChainReader;
  readonly merchant: Person;
  /** Reads the chain to its head and settles orders, as the worker does every half second; twice, for walking back. */
  watch(): Promise<void>;
  /** The chain as it is registered now. */
  registered(): RegisteredChain;
  /** Registers the chain again, as a worker does that begins. */
  register(): Promise<RegisteredChain>;
  /** Mines so many empty blocks. */
  mine(blocks?: number): Promise<void>;
  /** The rows of one statement, as a superuser. */
  sql<Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Opens a market; its gateway runs no watcher of its own. */
export async function openMarket(settings: Record<string, string> = {}): Promise<Market> {
  const [house, chain] = await Promise.all([startTollhouse({ settings }), openDevelopmentChain()]);
  const worker: WorkerContext = {
    database: house.resources.database,
    log: pino({ level: 'silent' }),
    requestId: 'test-worker',
  };
  const reader = createNodeReader(chain.setting);
  const register = async (): Promise<RegisteredChain> => {
    const chainAsItIs = await registerChain(worker, { setting: chain.setting, reader });
    await reviewForsakenOrders(worker);
    return chainAsItIs;
  };
  let registered = await register();
  const watch = async (): Promise<void> => {
    for (let round = 0; round < 2; round += 1) {
      await followChain(worker, registered, reader);
      await settleOrders(worker, registered);
    }
  };
  await watch();
  const admin = new pg.Client({ connectionString: house.database.adminUrl });
  await admin.connect();
  return {
    house,
    chain,
    worker,
    reader,
    merchant: await signIn(house),
    watch,
    registered: () => registered,
    register: async () => {
      registered = await register();
      return registered;
    },
    mine: (blocks = 1) => chain.node.mine({ blocks }),
    sql: async (text, ...values) => (await admin.query(text, values)).rows as never,
    close: async () => {
      await admin.end();
      await house.stop();
      await chain.stop();
    },
  };
}

const CREATE_LINK = `mutation ($input: CreatePaymentLinkInput!) {
  createPaymentLink(input: $input) { paymentLink { id slug } }
}`;

/** Makes a link of the merchant, for 12.5 TUSD unless something else is said. */
export async function makeLink(
  market: Pick<Market, 'house' | 'merchant'>,
  given: { readonly accepts?: readonly { asset: string; amount: string; payTo?: string }[]; readonly by?: Person } = {},
): Promise<{ id: string; slug: string; payTo: string }> {
  const by = given.by ?? market.merchant;
  const accepts = (given.accepts ?? [{ asset: TUSD, amount: '12.5' }]).map((accept) => ({
    payTo: by.account.address,
    ...accept,
  }));
  const answer = await market.house.ask<{ createPaymentLink: { paymentLink: { id: string; slug: string } } | null }>(
    CREATE_LINK,
    { input: { title: 'Lunch', accepts } },
    { token: by.accessToken },
  );
  const made = answer.data?.createPaymentLink;
  if (!made) throw new Error(`No link was made: ${JSON.stringify(answer.errors)}`);
  return { ...made.paymentLink, payTo: by.account.address.toLowerCase() };
}

/** An order as its payer has it. */
export interface Order {
  readonly token: string;
  readonly due: { readonly amount: string; readonly units: string };
  readonly expiresAt: string;
  readonly paymentRequest: PayerRequest;
  /** The order's sixteen bytes, which end the calldata. */
  readonly reference: Hex;
}

interface PayerRequest {
  readonly chainId: number;
  readonly to: Hex;
  readonly value: string;
  readonly data: Hex;
  readonly eip681: string;
}

export const CREATE_ORDER = `mutation ($input: CreatePaymentOrderInput!) {
  createPaymentOrder(input: $input) {
    checkoutOrder { token status due { amount units } expiresAt paymentRequest { chainId to value data eip681 } }
  }
}`;

/** Begins to pay a link. */
export async function makeOrder(
  market: Pick<Market, 'house'>,
  input: { readonly slug: string; readonly payer: string; readonly asset?: string },
): Promise<Order> {
  const { slug, payer, asset } = input;
  const answer = await market.house.ask<{ createPaymentOrder: { checkoutOrder: Omit<Order, 'reference'> } }>(
    CREATE_ORDER,
    { input: { slug, payer, ...(asset && { asset }) } },
  );
  if (!answer.data) throw new Error(`No order was made: ${JSON.stringify(answer.errors)}`);
  const { checkoutOrder } = answer.data.createPaymentOrder;
  return { ...checkoutOrder, reference: slice(checkoutOrder.paymentRequest.data, -16) };
}

/** A transaction that was sent. */
export interface Sent {
  readonly hash: Hex;
  /** The signed transaction, to be sent again. */
  readonly raw: Hex;
}

/** Somebody with a wallet of their own, and enough of everything. */
export interface Payer {
  readonly account: PrivateKeyAccount;
  readonly address: Hex;
  /** Signs and sends, and waits until it is mined. */
  send(call: { readonly to?: Hex; readonly value?: bigint; readonly data?: Hex }): Promise<Sent>;
  /** Sends what the order asks for; other units, or no reference, when that is said. */
  pay(order: Order, given?: { readonly units?: bigint; readonly reference?: boolean }): Promise<Sent>;
  /** Sends a token's units to somebody, with bytes behind the call. */
  transfer(to: string, units: bigint, given?: { readonly suffix?: Hex; readonly token?: Hex }): Promise<Sent>;
}

const mintAbi = parseAbi(['function mint(address, uint256)']);

/** What a new payer has of the test token. */
const PAYER_UNITS = 10n ** 30n;

/** The call by which a token's units go to somebody. */
export function transferCall(to: string, units: bigint): Hex {
  return encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to as Hex, units] });
}

/** Makes a payer; the three blocks mined behind leave its money out of the reach of a short reorganization. */
export async function newPayer(market: Pick<Market, 'chain'>): Promise<Payer> {
  const { chain } = market;
  const account = privateKeyToAccount(generatePrivateKey());
  const send = (call: { to?: Hex; value?: bigint; data?: Hex }): Promise<Sent> => sendFrom(chain, account, call);
  const transfer: Payer['transfer'] = (to, units, { suffix = '0x', token = TEST_TOKEN_ADDRESS } = {}) =>
    send({ to: token, data: concatHex([transferCall(to, units), suffix]) });
  await chain.node.setBalance({ address: account.address, value: 1_000n * NATIVE_WEI });
  const data = encodeFunctionData({ abi: mintAbi, functionName: 'mint', args: [account.address, PAYER_UNITS] });
  await send({ to: TEST_TOKEN_ADDRESS, data });
  await chain.node.mine({ blocks: 3 });
  return {
    account,
    address: account.address.toLowerCase() as Hex,
    send,
    transfer,
    pay(order, { units = BigInt(order.due.units), reference = true } = {}) {
      const { to, value, data } = order.paymentRequest;
      const suffix = reference ? order.reference : '0x';
      if (value !== '0') return send({ to, value: units, data: suffix });
      return transfer(`0x${data.slice(34, 74)}`, units, { suffix });
    },
  };
}

/** Sends one signed transaction; the fees are more than anvil asks for, so that nothing needs to be estimated. */
export async function sendFrom(
  chain: DevelopmentChain,
  account: PrivateKeyAccount,
  call: { readonly to?: Hex; readonly value?: bigint; readonly data?: Hex },
  wait = true,
): Promise<Sent> {
  const raw = await account.signTransaction({
    ...call,
    chainId: await chain.public.getChainId(),
    nonce: await chain.public.getTransactionCount({ address: account.address, blockTag: 'pending' }),
    gas: 2_000_000n,
    maxFeePerGas: 10_000_000_000n,
    maxPriorityFeePerGas: 0n,
  });
  const hash = await chain.public.sendRawTransaction({ serializedTransaction: raw });
  // Asked again and again: viem waits for a further block, which comes with a further transaction alone.
  while (wait && !(await chain.public.getTransactionReceipt({ hash }).catch(() => null))) await sleep(5);
  return { hash, raw };
}

/** What the books say of an order. */
export interface OrderState {
  readonly id: string;
  readonly status: string;
  readonly exceptions: readonly string[];
  readonly credited: bigint;
}

/** Finds an order in the books by its reference. */
export async function stateOf({ sql }: Pick<Market, 'sql'>, { reference }: Order): Promise<OrderState> {
  const [row] = await sql<{ id: string; status: string; exceptions: string[]; credited: string }>(
    `select id, status, exceptions::text[] as exceptions, credited_units::text as credited
     from payment_orders where reference = decode($1, 'hex')`,
    reference.slice(2),
  );
  if (!row) throw new Error('There is no such order.');
  return { ...row, credited: BigInt(row.credited) };
}

/** The types of what was told of an order, in order, without their common beginning. */
export async function toldOf(market: Pick<Market, 'sql'>, order: Order): Promise<string[]> {
  const { id } = await stateOf(market, order);
  const rows = await market.sql<{ type: string }>(
    `select type from events where aggregate_type = 'payment-order' and aggregate_id = $1 order by aggregate_version`,
    id,
  );
  return rows.map(({ type }) => type.replace('payment-order.', ''));
}

/** Moves an order's deadline, by the hand of a superuser. */
export async function setDeadline({ sql }: Pick<Market, 'sql'>, { reference }: Order, expiresAt: Date): Promise<void> {
  await sql(
    `update payment_orders
     set expires_at = $2, created_at = least(created_at, $2::timestamptz - interval '1 hour')
     where reference = decode($1, 'hex')`,
    reference.slice(2),
    expiresAt,
  );
}

/** When the newest block was mined, as it says itself. */
export async function timeOfHead({ chain }: Pick<Market, 'chain'>): Promise<Date> {
  const { timestamp } = await chain.public.getBlock();
  return new Date(Number(timestamp) * 1000);
}
