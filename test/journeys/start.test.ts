import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublicClient, http } from 'viem';
import { afterAll, describe, expect, it } from 'vitest';
import { devAccount } from '../../src/chain/providers/devAccounts.ts';
import { identifyProcess } from '../../src/local/process.ts';
import { clearLeftovers, leftovers, makeRoot, pidOf, processesOf, until } from '../local/children.ts';
import { CREATE_ORDER, type Order, sendFrom } from '../payments/market.ts';
import { type Person, signIn } from '../support/person.ts';
import { linesOf, openForwarder, payALink, run, type StartedGateway, startGateway } from './gateways.ts';

afterAll(clearLeftovers);

// One story in one folder: a checkout, as far as a gateway can tell.
const root = makeRoot();
let gateway: StartedGateway;
let merchant: Person;
let slug: string;

async function start(folder = root): Promise<StartedGateway> {
  const started = await startGateway(folder);
  leftovers.push(async () => {
    if (identifyProcess(started.pid)) await started.interrupt();
  });
  return started;
}

const serversOf = (folder: string): number[] =>
  (['postgres', 'anvil'] as const).map((server) => pidOf(join(folder, '.tollhouse'), server));
const running = (pids: readonly number[]): number[] => pids.filter((pid) => identifyProcess(pid) !== null);

interface Chain {
  readonly chainId: number;
  readonly publicRpcUrl: string;
  readonly assets: readonly { readonly symbol: string; readonly caip19: string }[];
}

/** The chain that a gateway names; until its worker has begun, that is the one of the start before. */
async function chainOf({ ask }: StartedGateway): Promise<Chain & { readonly genesis: string }> {
  for (;;) {
    const { data } = await ask<{ chains: Chain[] }>('{ chains { chainId publicRpcUrl assets { symbol caip19 } } }');
    const [chain] = data?.chains ?? [];
    if (!chain) throw new Error('There is no chain.');
    const node = createPublicClient({ transport: http(chain.publicRpcUrl, { retryCount: 0 }) });
    const genesis = await node.getBlock({ blockNumber: 0n }).catch(() => null);
    if (genesis) return { ...chain, genesis: genesis.hash };
    await sleep(50);
  }
}

/** An order of one unit of the native coin by account 5, which is the user's own; waits for the chain to be read. */
async function orderOf(at: StartedGateway): Promise<Omit<Order, 'reference'>> {
  for (;;) {
    const { data, errors } = await at.ask<{ createPaymentOrder: { checkoutOrder: Omit<Order, 'reference'> } | null }>(
      CREATE_ORDER,
      { input: { slug, payer: devAccount(5).address } },
    );
    if (data?.createPaymentOrder) return data.createPaymentOrder.checkoutOrder;
    if (!errors[0]?.extensions.retryable) throw new Error(JSON.stringify(errors));
    await sleep(50);
  }
}

async function statusOf(at: StartedGateway, token: string): Promise<string | undefined> {
  const query = 'query ($token: String!) { checkoutOrder(token: $token) { status } }';
  const { data } = await at.ask<{ checkoutOrder: { status: string } | null }>(query, { token });
  return data?.checkoutOrder?.status;
}

/** Pays an order at the chain itself, whatever the gateway does. */
async function pay(rpcUrl: string, { paymentRequest: { to, value, data } }: Omit<Order, 'reference'>): Promise<void> {
  const chain = { public: createPublicClient({ transport: http(rpcUrl) }) };
  const call = { to, value: BigInt(value), data };
  await sendFrom(chain as never, devAccount(5).account as never, call);
}

describe('a gateway that is started in a fresh checkout', () => {
  it('says where it answers, who is in the demo and what to try', async () => {
    gateway = await start();
    const said = gateway.said();
    expect(said).toContain(`Tollhouse is ready: ${gateway.url}\n`);
    expect(said).toContain('Open it in a browser for the playground.');
    expect(said).toMatch(/Development only/);
    for (const index of [0, 1, 2, 3] as const) {
      expect(said).toContain(devAccount(index).address);
      expect(said).toContain(devAccount(index).privateKey);
    }
    expect(said).toContain('query { chains { name assets { symbol caip19 } } }');
    expect(gateway.complained()).toBe('');
  });

  it('names a page where something can be paid with the coin that Dave has', async () => {
    const [, url = ''] = /^ {2}Or {4}(http\S+\/pay\/\S+)$/m.exec(gateway.said()) ?? [];
    const page = await fetch(url, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('data-finding="found"');
    const slug = url.split('/').at(-1);
    const query = 'query ($slug: String!) { checkout(slug: $slug) { accepts { amount asset { symbol } } } }';
    const { data } = await gateway.ask<{ checkout: { accepts: readonly unknown[] } }>(query, { slug });
    expect(data?.checkout.accepts).toContainEqual({ amount: '0.01', asset: { symbol: 'ETH' } });
    const { publicRpcUrl } = await chainOf(gateway);
    const node = createPublicClient({ transport: http(publicRpcUrl) });
    expect(await node.getBalance({ address: devAccount(3).address })).toBeGreaterThan(10n ** 18n);
  });

  it('leads whoever opens its bare address in a browser to the playground', async () => {
    const bare = new URL('/', gateway.url);
    const shown = await fetch(bare, { headers: { accept: 'text/html' }, redirect: 'manual' });
    expect([shown.status, shown.headers.get('location')]).toEqual([302, '/graphql']);
    expect((await fetch(bare, { headers: { accept: 'text/html' } })).url).toBe(gateway.url);
    expect((await fetch(bare)).status).toBe(404);
  });

  it('answers what it said to try, and has a playground of its own', async () => {
    const chain = await chainOf(gateway);
    expect(chain).toMatchObject({ chainId: 31_337 });
    expect(chain.assets.map(({ symbol }) => symbol).sort()).toEqual(['ETH', 'TUSD']);
    const playground = await fetch(gateway.url, { headers: { accept: 'text/html' } });
    expect(playground.status).toBe(200);
    const page = await playground.text();
    const [, script = ''] = /<script type="module" src="([^"]+)">/.exec(page) ?? [];
    expect((await fetch(new URL(script, gateway.url))).status).toBe(200);
    // There is nobody of the demo whom a newcomer could not be.
    for (const index of [0, 1, 2, 3] as const) expect(page).toContain(devAccount(index).privateKey);
  });

  it('has a demo: two organizations, their links, and one order that is paid', async () => {
    const alice = await signIn(gateway, devAccount(0).account as never);
    const bob = await signIn(gateway, devAccount(1).account as never);
    const books = `{ organization {
      name paymentLinks { edges { node { title } } } paymentOrders { edges { node { status } } }
    } }`;
    interface Books {
      readonly organization: {
        readonly name: string;
        readonly paymentLinks: { readonly edges: readonly unknown[] };
        readonly paymentOrders: { readonly edges: readonly { readonly node: { readonly status: string } }[] };
      };
    }
    const of = async ({ accessToken }: Person) => {
      const { data } = await gateway.ask<Books>(books, {}, { token: accessToken });
      return data?.organization;
    };
    await until(async () => /PAID|FINAL/.test((await of(alice))?.paymentOrders.edges[0]?.node.status ?? ''));
    expect(await of(alice)).toMatchObject({ name: 'Aurora Coffee', paymentOrders: { edges: [{}] } });
    expect(await of(bob)).toMatchObject({ name: 'Borealis Books', paymentOrders: { edges: [] } });
    expect((await of(alice))?.paymentLinks.edges).toHaveLength(2);
    expect((await of(bob))?.paymentLinks.edges).toHaveLength(1);
  });

  it('is the only one in its folder: a second start says so, and ends', async () => {
    const second = run('src/main.ts', root, [], { PORT: '0' });
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.complained()).toBe(
      `Tollhouse already runs in this folder (process ${gateway.pid}, ${gateway.url}).\n`,
    );
    expect((await chainOf(gateway)).chainId).toBe(31_337);
  });

  it('can be killed between payment and confirmation: the next one takes over, and what was paid is paid', async () => {
    const { publicRpcUrl } = await chainOf(gateway);
    merchant = await signIn(gateway);
    const asset = 'eip155:31337/slip44:60';
    const accepts = [{ asset, amount: '0.000000000000000001', payTo: merchant.account.address }];
    const made = await gateway.ask<{ createPaymentLink: { paymentLink: { slug: string } } }>(
      'mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { slug } } }',
      { input: { title: 'Lunch', accepts } },
      { token: merchant.accessToken },
    );
    slug = made.data?.createPaymentLink.paymentLink.slug ?? '';
    const order = await orderOf(gateway);
    const servers = serversOf(root);
    const forwarder = await openForwarder(gateway.url);
    leftovers.push(forwarder.close);
    const example = payALink(root, forwarder.url);
    await until(() => example.said().includes('\nPaid '));
    // Standing still it mines no block and reads none: this payment is on the chain, and nobody has confirmed it.
    process.kill(gateway.pid, 'SIGSTOP');
    await pay(publicRpcUrl, order);
    process.kill(gateway.pid, 'SIGKILL');
    expect(await gateway.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(running(servers)).toEqual(servers);

    gateway = await start();
    forwarder.target = gateway.url;
    expect(serversOf(root)).toEqual(servers);
    expect((await chainOf(gateway)).publicRpcUrl).toBe(publicRpcUrl);
    await until(async () => (await statusOf(gateway, order.token)) === 'PAID');
    expect(await example.ended).toEqual({ code: 0, signal: null });
    expect(linesOf(example).at(-1)).toBe('PAID');
  });

  it('stops everything once, however often it is interrupted, and leaves no process behind', async () => {
    const pids = [gateway.pid, ...serversOf(root)];
    expect(running(pids)).toEqual(pids);
    for (let times = 0; times < 3; times += 1) process.kill(-gateway.pid, 'SIGINT');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.complained()).toBe('');
    expect(running(pids)).toEqual([]);
    expect(processesOf(root)).toEqual([]);
  });

  it('finds its data and its chain again when it is started again, beside another in another folder', async () => {
    const other = makeRoot();
    const second = await start(other);
    const theirs = await chainOf(second);
    gateway = await start();
    expect(second.url).not.toBe(gateway.url);
    const ours = await chainOf(gateway);
    expect(ours.genesis).not.toBe(theirs.genesis);
    expect(gateway.said()).not.toContain('it was reset');

    const again = await signIn(gateway, merchant.account);
    expect(again.userId).toBe(merchant.userId);
    expect((await signIn(second, merchant.account)).userId).not.toBe(merchant.userId);
    const books = '{ organization { paymentOrders { edges { node { status } } } } }';
    const { data } = await gateway.ask<{ organization: { paymentOrders: unknown } }>(
      books,
      {},
      { token: again.accessToken },
    );
    expect(data?.organization.paymentOrders).toEqual({ edges: [{ node: { status: 'PAID' } }] });
    await expectPayment();

    expect(await second.interrupt()).toEqual({ code: 0, signal: null });
    expect(processesOf(other)).toEqual([]);
    expect((await chainOf(gateway)).genesis).toBe(ours.genesis);
  });

  it('says that its chain was reset when its state was lost, and goes on with the new one', async () => {
    const open = await orderOf(gateway);
    const before = await chainOf(gateway);
    await gateway.interrupt();
    const state = join(root, '.tollhouse/anvil/state.json');
    expect(existsSync(state)).toBe(true);
    rmSync(state);
    gateway = await start();
    await until(() => gateway.said().includes('it was reset, and is read as a new incarnation'));
    expect(gateway.said()).not.toContain('reorganized deeper');
    expect((await chainOf(gateway)).genesis).not.toBe(before.genesis);
    expect(await statusOf(gateway, open.token)).toBe('FAILED');
    await expectPayment();
    expect(await gateway.interrupt()).toEqual({ code: 0, signal: null });
    expect(processesOf(root)).toEqual([]);
  });
});

/** An order of the gateway's as it is now can be made and paid. */
async function expectPayment(): Promise<void> {
  const order = await orderOf(gateway);
  await pay((await chainOf(gateway)).publicRpcUrl, order);
  await until(async () => (await statusOf(gateway, order.token)) === 'PAID');
}
