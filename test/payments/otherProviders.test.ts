import { createHmac, timingSafeEqual } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerContext } from '../../src/context.ts';
import { newId } from '../../src/kernel/ids.ts';
import { recordProviderClaim } from '../../src/payments/commands/recordProviderClaim.ts';
import { settleProviders } from '../../src/payments/commands/settleProviders.ts';
import { PROVIDERS } from '../../src/payments/providers/registry.ts';
import type { PaymentProvider } from '../../src/ports.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { reorganize, secondShop, toldAbout } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

// As docs/domains/payments.md shows it.
const cards: PaymentProvider = { name: 'cards', standsOn: 'MEMBER' };
const relay: PaymentProvider = { name: 'relay', standsOn: 'CHAIN' };

const SECRET = 'what the provider signs its hooks with';

interface Said {
  readonly id: string;
  readonly organization: string;
  readonly order: string;
  readonly units: string;
}

const signatureOf = (body: Uint8Array): string => createHmac('sha256', SECRET).update(body).digest('hex');

function readSigned(body: Uint8Array, headers: Headers): Said {
  const [given, own] = [headers.get('signature') ?? '', signatureOf(body)].map((text) => Buffer.from(text));
  if (!given || !own || given.length !== own.length || !timingSafeEqual(given, own)) throw new Error('Not signed.');
  return JSON.parse(Buffer.from(body).toString()) as Said;
}

async function takeHook(context: WorkerContext, request: Request): Promise<void> {
  const body = new Uint8Array(await request.arrayBuffer());
  const said = readSigned(body, request.headers);
  await recordProviderClaim(context, {
    provider: cards,
    organizationId: said.organization,
    orderId: said.order,
    reference: said.id,
    units: BigInt(said.units),
    raw: { id: said.id },
  });
}

const hook = (said: Said, signature?: string): Request => {
  const body = Buffer.from(JSON.stringify(said));
  return new Request('http://localhost/hooks/cards', {
    method: 'POST',
    body,
    headers: { signature: signature ?? signatureOf(body) },
  });
};

/** A round of the worker that knows these providers too. */
async function settle(): Promise<void> {
  await market.mine();
  await market.watch();
  await settleProviders(market.worker, {
    chain: market.registered(),
    attempt: (work) => work.then(() => true),
    providers: [...PROVIDERS, cards, relay],
  });
  await market.watch();
}

async function begin() {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug } = await makeLink(market, { by: shop });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { id } = await stateOf(market, order);
  const [row] = await market.sql<{ organization: string }>(
    'select organization_id as organization from payment_orders where id = $1',
    id,
  );
  return { shop, payer, order, orderId: id, organizationId: row?.organization ?? '' };
}

interface Told {
  readonly id: string;
  readonly provider: string;
  readonly status: string;
  readonly transactionHash: string | null;
  readonly transaction: { readonly hash: string } | null;
}

async function told(by: Person, filter: string): Promise<readonly Told[]> {
  const { data } = await market.house.ask<{ organization: { providerTransactions: { edges: { node: Told }[] } } }>(
    `{ organization { providerTransactions(filter: { ${filter} }) {
      edges { node { id provider status transactionHash transaction { hash } } }
    } } }`,
    {},
    { token: by.accessToken },
  );
  return data?.organization.providerTransactions.edges.map(({ node }) => node) ?? [];
}

describe('a provider that a member stands behind', () => {
  it('is believed with the next round, once for each hook however often it comes', async () => {
    const { shop, order, orderId, organizationId } = await begin();
    const said = { id: newId(), organization: organizationId, order: orderId, units: '12500000' };
    await expect(takeHook(market.worker, hook(said, '00'))).rejects.toThrow('Not signed');
    await takeHook(market.worker, hook(said));
    await takeHook(market.worker, hook(said));
    const [claimed, ...others] = await told(shop, 'provider: "cards"');
    expect([claimed?.status, others]).toEqual(['CLAIMED', []]);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n });
    expect(await told(shop, `reference: "${said.id}", statuses: [CONFIRMED]`)).toHaveLength(1);
    expect(await toldAbout(market, 'provider-transaction', claimed?.id ?? '')).toEqual(['claimed', 'confirmed']);
  });

  it('is told nothing of orders that are not there, or another organization’s', async () => {
    const { shop, orderId } = await begin();
    const other = await secondShop(market, shop);
    const [row] = await market.sql<{ id: string }>(
      `select id from organizations where 'Second shop' = name order by created_at desc limit 1`,
    );
    for (const order of [newId(), orderId]) {
      const said = { id: newId(), organization: row?.id ?? '', order, units: '1' };
      await expect(takeHook(market.worker, hook(said))).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    }
    expect(await told(other, 'kinds: [PAYMENT]')).toEqual([]);
  });
});

describe('a provider that stands on the chain', () => {
  const say = (at: { readonly organizationId: string; readonly orderId: string }, transactionHash: string) =>
    recordProviderClaim(market.worker, {
      ...at,
      provider: relay,
      reference: transactionHash,
      units: 12_500_000n,
      transactionHash,
    });

  it('is confirmed by the credit that it names, whichever comes first, and goes with it', async () => {
    const { shop, payer, order, ...at } = await begin();
    const early = `0x${'1'.repeat(64)}`;
    await say(at, early);
    const { hash } = await payer.pay(order);
    await say(at, hash.toUpperCase().replace('0X', '0x'));
    await settle();
    expect(await told(shop, 'provider: "relay"')).toMatchObject([
      { status: 'CONFIRMED', transactionHash: hash, transaction: { hash } },
      { status: 'CLAIMED', transactionHash: early, transaction: null },
    ]);
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    await say({ ...at }, hash);
    await recordProviderClaim(market.worker, {
      ...at,
      provider: { ...relay, name: 'another-relay' },
      reference: 'late',
      units: 1n,
      transactionHash: hash,
    });
    expect(await told(shop, 'provider: "another-relay"')).toMatchObject([
      { status: 'CONFIRMED', transaction: { hash } },
    ]);
    await reorganize(market, 2);
    await market.watch();
    expect(await told(shop, `provider: "relay", reference: "${hash}"`)).toMatchObject([{ status: 'REVERSED' }]);
    expect((await stateOf(market, order)).credited).toBe(0n);
  });

  it('completes nothing by its word, nor under the name of another', async () => {
    const { shop, order, ...at } = await begin();
    await say(at, `0x${'2'.repeat(64)}`);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    expect(await told(shop, 'provider: "relay"')).toMatchObject([{ status: 'CLAIMED' }]);
    const claim = { ...at, reference: 'x', units: 1n };
    for (const name of ['onchain', 'manual']) {
      const provider: PaymentProvider = { name, standsOn: 'MEMBER' };
      await expect(recordProviderClaim(market.worker, { ...claim, provider })).rejects.toThrow('not to be recorded');
    }
    await expect(recordProviderClaim(market.worker, { ...claim, provider: relay })).rejects.toThrow(
      'names its transaction',
    );
    await expect(
      recordProviderClaim(market.worker, { ...claim, provider: cards, transactionHash: `0x${'3'.repeat(64)}` }),
    ).rejects.toThrow('names its transaction');
  });
});
