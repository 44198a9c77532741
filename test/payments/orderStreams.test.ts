import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { openStream, type Stream } from '../identity/stream.ts';
import { signIn } from '../support/person.ts';
import { makeKey } from '../tenancy/keyHolder.ts';
import { decide } from './inbox.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  stateOf,
  timeOfHead,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket({ LIMIT_STREAMS_PER_CLIENT: '12' });
});
afterAll(() => market.close());

interface Changed {
  readonly paymentOrderChanged: {
    readonly id: string;
    readonly status: string;
    readonly transactions: object[];
  } | null;
}

interface CheckoutChanged {
  readonly checkoutOrderChanged: {
    readonly token: string;
    readonly status: string;
    readonly transactions: { readonly hash: string; readonly status: string }[];
  } | null;
}

const openAs = <Data>(query: string, token?: string): Promise<Stream<Data>> =>
  openStream<Data>(market.house.url, query, token);

const watchOrder = (orderId: string, token: string | undefined): Promise<Stream<Changed>> =>
  openAs(`subscription { paymentOrderChanged(orderId: "${orderId}") { id status transactions { hash } } }`, token);

const watchAll = (token: string | undefined, paymentLinkId?: string): Promise<Stream<Changed>> =>
  openAs(
    `subscription { paymentOrderChanged${paymentLinkId ? `(paymentLinkId: "${paymentLinkId}")` : ''} {
      id status transactions { hash }
    } }`,
    token,
  );

const watchCheckout = (token: string): Promise<Stream<CheckoutChanged>> =>
  openAs(`subscription { checkoutOrderChanged(token: "${token}") { token status transactions { hash status } } }`);

/** The states that a stream says, until it says this one. */
async function statusesUntil(
  stream: Stream<Changed> | Stream<CheckoutChanged>,
  last: string,
  field: 'paymentOrderChanged' | 'checkoutOrderChanged',
): Promise<string[]> {
  const statuses: string[] = [];
  while (statuses.at(-1) !== last) {
    const event = await stream.next();
    const data = event?.data?.data as Record<string, { status: string } | null> | null | undefined;
    const status = data?.[field]?.status;
    if (!status) throw new Error(`${statuses.join()} and then ${JSON.stringify(event)}`);
    statuses.push(status);
  }
  return statuses;
}

async function begin(): Promise<{ payer: Payer; order: Order; orderId: string; linkId: string }> {
  const payer = await newPayer(market);
  const { slug, id: linkId } = await makeLink(market);
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { id } = await stateOf(market, order);
  return { payer, order, linkId, orderId: encodeGlobalId('PaymentOrder', id) };
}

/** Mines until the newest block says that it is of a later time. */
async function untilHeadIsBehind(time: Date): Promise<void> {
  while ((await timeOfHead(market)) <= time) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await market.mine();
  }
}

const codesOf = async (stream: Stream<unknown>): Promise<string[]> => [
  await stream.nextCode(),
  await stream.nextCode(),
];

describe('an order, followed', () => {
  it('is told to its payer and its merchant as it moves, and ends for the payer when nothing can follow', async () => {
    const { payer, order, orderId } = await begin();
    const [paying, selling] = [
      await watchCheckout(order.token),
      await watchOrder(orderId, market.merchant.accessToken),
    ];
    expect(await statusesUntil(paying, 'CREATED', 'checkoutOrderChanged')).toEqual(['CREATED']);
    expect(await statusesUntil(selling, 'CREATED', 'paymentOrderChanged')).toEqual(['CREATED']);
    const { hash } = await payer.pay(order);
    await market.watch();
    const confirming = await paying.next();
    expect(confirming?.data?.data?.checkoutOrderChanged).toMatchObject({
      token: order.token,
      status: 'CONFIRMING',
      transactions: [{ hash, status: 'INCLUDED' }],
    });
    expect(await statusesUntil(selling, 'CONFIRMING', 'paymentOrderChanged')).toEqual(['CONFIRMING']);
    await market.mine();
    await market.watch();
    await statusesUntil(paying, 'PAID', 'checkoutOrderChanged');
    await statusesUntil(selling, 'PAID', 'paymentOrderChanged');
    await market.mine(64);
    await market.watch();
    await statusesUntil(paying, 'FINAL', 'checkoutOrderChanged');
    expect(await codesOf(paying)).toEqual(['complete', 'closed']);
    await statusesUntil(selling, 'FINAL', 'paymentOrderChanged');
    selling.leave();
    // and who comes later is told how it ended, once
    const late = await watchCheckout(order.token);
    expect(await statusesUntil(late, 'FINAL', 'checkoutOrderChanged')).toEqual(['FINAL']);
    expect(await codesOf(late)).toEqual(['complete', 'closed']);
  });

  it('is told to its payer until what goes back of it has gone back', async () => {
    const { payer, order, orderId } = await begin();
    await payer.pay(order);
    await market.mine(64);
    await market.watch();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL' });
    const { answer } = await decide(market, market.merchant, 'requestRefund', { orderId, amount: '2' });
    const paying = await openAs<{
      checkoutOrderChanged: { refunds: { status: string; destination: string | null }[] };
    }>(`subscription { checkoutOrderChanged(token: "${order.token}") { refunds { status destination } } }`);
    const refundsOf = async () => (await paying.next())?.data?.data?.checkoutOrderChanged.refunds;
    expect(await refundsOf()).toEqual([{ status: 'REQUESTED', destination: null }]);
    const destination = privateKeyToAccount(generatePrivateKey()).address;
    const id = answer?.refund.id;
    await decide(market, market.merchant, 'setRefundDestination', { id, destination, reason: 'asked by phone' });
    expect(await refundsOf()).toEqual([{ status: 'PENDING', destination }]);
    await decide(market, market.merchant, 'cancelRefund', { id });
    await market.mine();
    await market.watch();
    expect(await refundsOf()).toEqual([{ status: 'CANCELED', destination }]);
    expect(await codesOf(paying)).toEqual(['complete', 'closed']);
  });

  it('is told of without a hint, and while the connection that hears hints is dead', async () => {
    const { payer, order } = await begin();
    const paying = await watchCheckout(order.token);
    await statusesUntil(paying, 'CREATED', 'checkoutOrderChanged');
    await market.sql('alter table events disable trigger events_tell_streams');
    await market.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'tollhouse hints'`,
    );
    try {
      await payer.pay(order);
      await market.watch();
      await statusesUntil(paying, 'CONFIRMING', 'checkoutOrderChanged');
    } finally {
      await market.sql('alter table events enable trigger events_tell_streams');
    }
    paying.leave();
  });

  it('that has expired is over for its payer when nothing can come any more, and not before', async () => {
    const { order } = await begin();
    const { id } = await stateOf(market, order);
    const expire = (late: string) =>
      market.sql(
        `update payment_orders set status = 'EXPIRED', expires_at = created_at + interval '1 second',
           late_until = ${late} where id = $1`,
        id,
      );
    await expire(`now() + interval '1 hour'`);
    const paying = await watchCheckout(order.token);
    expect(await statusesUntil(paying, 'EXPIRED', 'checkoutOrderChanged')).toEqual(['EXPIRED']);
    await expire('null');
    await untilHeadIsBehind(new Date(Date.now() + 1_000));
    await market.watch();
    await statusesUntil(paying, 'EXPIRED', 'checkoutOrderChanged');
    expect(await codesOf(paying)).toEqual(['complete', 'closed']);
  });

  it('that has expired goes on for its payer while what came within its late window was not read', async () => {
    const { payer, order } = await begin();
    const { id } = await stateOf(market, order);
    await market.sql(
      `update payment_orders
       set status = 'EXPIRED', expires_at = created_at + interval '1 millisecond', late_policy = 'ACCEPT',
           late_until = clock_timestamp() + interval '1 second'
       where id = $1`,
      id,
    );
    await payer.pay(order);
    const paying = await watchCheckout(order.token);
    expect(await statusesUntil(paying, 'EXPIRED', 'checkoutOrderChanged')).toEqual(['EXPIRED']);
    await untilHeadIsBehind(new Date(Date.now() + 2_000));
    await market.watch();
    expect(await statusesUntil(paying, 'PAID', 'checkoutOrderChanged')).toContain('PAID');
    paying.leave();
  });

  it('is null, and over, for an id and a token that name none, or another organization’s', async () => {
    const { orderId } = await begin();
    const stranger = await signIn(market.house);
    for (const id of [orderId, encodeGlobalId('PaymentOrder', newId()), encodeGlobalId('PaymentLink', newId()), 'x']) {
      const stream = await watchOrder(id, stranger.accessToken);
      const event = await stream.next();
      expect(event?.data).toEqual({ data: { paymentOrderChanged: null } });
      expect(await codesOf(stream)).toEqual(['complete', 'closed']);
    }
    // a link of somebody else's, or of nobody, has no orders that are told
    const { linkId, order, payer } = await begin();
    const streams = [
      await watchAll(stranger.accessToken, linkId),
      await watchAll(stranger.accessToken, encodeGlobalId('PaymentLink', newId())),
    ];
    const own = await watchAll(market.merchant.accessToken, linkId);
    await payer.pay(order);
    await market.watch();
    await statusesUntil(own, 'CONFIRMING', 'paymentOrderChanged');
    for (const stream of streams) {
      const silence = new Promise((resolve) => setTimeout(() => resolve('silence'), 1_000));
      expect(await Promise.race([stream.nextCode(), silence])).toBe('silence');
      stream.leave();
    }
    own.leave();
    const unknown = await watchCheckout('never-given');
    expect((await unknown.next())?.data).toEqual({ data: { checkoutOrderChanged: null } });
    expect(await codesOf(unknown)).toEqual(['complete', 'closed']);
  });
});

describe('all orders, followed', () => {
  it('are told from now on, each as it is by then, or those of one link alone', async () => {
    const first = await begin();
    const token = market.merchant.accessToken;
    const [all, ofLink] = [await watchAll(token), await watchAll(token, first.linkId)];
    // whatever is told once both are open
    const seen: string[] = [];
    const reading = (async () => {
      while (!seen.includes('CONFIRMING')) {
        const event = await all.next();
        const order = event?.data?.data?.paymentOrderChanged;
        if (order?.id === first.orderId) seen.push(order.status);
      }
    })();
    const second = await begin();
    await second.payer.pay(second.order);
    await first.payer.pay(first.order);
    await market.watch();
    await reading;
    // it may begin with what was told just before; of another link it tells nothing
    for (let status = ''; status !== 'CONFIRMING'; ) {
      const event = await ofLink.next();
      expect(event?.data).toMatchObject({ data: { paymentOrderChanged: { id: first.orderId } } });
      status = event?.data?.data?.paymentOrderChanged?.status ?? '';
    }
    all.leave();
    ofLink.leave();
  });

  it('are told to nobody without the permission, and to a key that has it', async () => {
    const nobody = await watchAll(undefined);
    expect(await codesOf(nobody)).toEqual(['UNAUTHENTICATED', 'complete']);
    const { text: logKey } = await makeKey(market.house, market.merchant.accessToken, { scopes: ['events:read'] });
    const refused = await watchAll(logKey);
    expect(await codesOf(refused)).toEqual(['FORBIDDEN', 'complete']);
    const { text } = await makeKey(market.house, market.merchant.accessToken, { scopes: ['payments:read'] });
    const { payer, order, orderId } = await begin();
    const one = await watchOrder(orderId, text);
    await statusesUntil(one, 'CREATED', 'paymentOrderChanged');
    await payer.pay(order);
    await market.watch();
    await statusesUntil(one, 'CONFIRMING', 'paymentOrderChanged');
    one.leave();
  });

  it('are told for an order or a link, and not for both', async () => {
    const { orderId, linkId } = await begin();
    const stream = await openAs(
      `subscription { paymentOrderChanged(orderId: "${orderId}", paymentLinkId: "${linkId}") { id } }`,
      market.merchant.accessToken,
    );
    expect(await codesOf(stream)).toEqual(['BAD_USER_INPUT', 'complete']);
  });
});

describe('payers’ streams', () => {
  it('are opened by a page’s EventSource too, which can say nothing but an address', async () => {
    const { order } = await begin();
    const query = `subscription ($token: String!) { checkoutOrderChanged(token: $token) { status } }`;
    const address = new URL(market.house.url);
    address.search = String(new URLSearchParams({ query, variables: JSON.stringify({ token: order.token }) }));
    const leaving = new AbortController();
    const response = await fetch(address, { headers: { accept: 'text/event-stream' }, signal: leaving.signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream() as never) ?? []) {
      text += chunk;
      if (text.includes('data:')) break;
    }
    expect(text).toContain('event: next');
    expect(text).toContain('{"data":{"checkoutOrderChanged":{"status":"CREATED"}}}');
    leaving.abort();
  });

  it('are so many a client address and no more, until one is left', async () => {
    const { order } = await begin();
    const streams: Stream<CheckoutChanged>[] = [];
    for (let code = 'OK'; code === 'OK'; ) {
      const stream = await watchCheckout(order.token);
      code = await stream.nextCode();
      if (code === 'OK') streams.push(stream);
      else expect(code).toBe('TOO_MANY_STREAMS');
    }
    expect(streams.length).toBeGreaterThan(0);
    expect(streams.length).toBeLessThanOrEqual(12);
    for (const stream of streams) stream.leave();
  });
});
