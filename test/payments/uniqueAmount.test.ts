import { decodeFunctionData, erc20Abi, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { mostSurcharge, whyNotUnique } from '../../src/payments/model/uniqueAmount.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { ETH, type Market, makeLink, newPayer, openMarket, type Payer, TUSD } from './market.ts';
import { join } from './orderTerms.ts';

let market: Market;
let payer: Payer;
beforeAll(async () => {
  market = await openMarket();
  payer = await newPayer(market);
  await market.watch();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

interface Made {
  readonly token: string;
  readonly status: string;
  readonly exceptions: readonly string[];
  readonly matching: string;
  readonly due: { readonly units: string };
  readonly receivedUnits: string;
  readonly paymentRequest: {
    readonly to: Hex;
    readonly value: string;
    readonly data: Hex;
    readonly eip681: string;
    readonly qr: string;
    readonly expiresAt: string;
  };
  readonly expiresAt: string;
}

const ORDER = `token status exceptions matching due { units } receivedUnits expiresAt
  paymentRequest { to value data eip681 qr expiresAt }`;
const CREATE = `mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) { checkoutOrder { ${ORDER} } } }`;

async function tryToMake(
  input: Record<string, unknown>,
): Promise<{ order: Made | undefined; code: unknown; extensions: unknown }> {
  const { data, errors } = await market.house.ask<{ createPaymentOrder: { checkoutOrder: Made } }>(CREATE, { input });
  const extensions = errors[0]?.extensions;
  return { order: data?.createPaymentOrder?.checkoutOrder, code: extensions?.code, extensions };
}

async function make(input: Record<string, unknown>): Promise<Made> {
  const { order, extensions } = await tryToMake(input);
  if (!order) throw new Error(`No order was made: ${JSON.stringify(extensions)}`);
  return order;
}

async function now(token: string): Promise<Made> {
  const { data } = await market.house.ask<{ checkoutOrder: Made }>(
    `query ($token: String!) { checkoutOrder(token: $token) { ${ORDER} } }`,
    { token },
  );
  if (!data) throw new Error('The order is not there.');
  return data.checkoutOrder;
}

/** Sends so much of the test token to the merchant, from whatever wallet. */
const send = (units: string | bigint, to = market.merchant.account.address) => payer.transfer(to, BigInt(units));

/** Moves an order's time behind all of the chain that was read. */
const endTime = (token: string, past = '1 day') =>
  market.sql(
    `update payment_orders o
     set expires_at = clock_timestamp() - $2::interval, late_until = null, created_at = clock_timestamp() - interval '2 days'
     from handles h
     where h.value_hash = sha256(convert_to($1, 'UTF8')) and o.id = h.target_id`,
    token,
    past,
  );

describe('an order without a payer', () => {
  it('asks for a little more than the price, in a request without a reference', async () => {
    const { slug } = await makeLink(market);
    const order = await make({ slug });
    expect(order).toMatchObject({ matching: 'UNIQUE_AMOUNT', status: 'CREATED', exceptions: [], receivedUnits: '0' });
    const surcharge = BigInt(order.due.units) - 12_500_000n;
    expect(surcharge > 0n && surcharge <= 9_999n).toBe(true);
    const { paymentRequest } = order;
    expect(decodeFunctionData({ abi: erc20Abi, data: paymentRequest.data }).args).toEqual([
      market.merchant.account.address,
      BigInt(order.due.units),
    ]);
    expect(paymentRequest.data).toHaveLength(2 + 2 * 68);
    expect(paymentRequest.eip681).toContain(`uint256=${order.due.units}`);
    expect(paymentRequest.qr).toMatch(/^<svg.*<\/svg>$/s);
    expect(paymentRequest.expiresAt).toBe(order.expiresAt);
  });

  it('is paid by whoever sends just so much, and by nobody who sends one more or less', async () => {
    const { slug } = await makeLink(market);
    const order = await make({ slug });
    await send(BigInt(order.due.units) - 1n);
    await send(BigInt(order.due.units) + 1n);
    await market.watch();
    expect(await now(order.token)).toMatchObject({ status: 'CREATED', receivedUnits: '0' });
    await send(order.due.units);
    await market.mine();
    await market.watch();
    expect(await now(order.token)).toMatchObject({ status: 'PAID', exceptions: [], receivedUnits: order.due.units });
  });

  it('that has a part by a claim asks for the rest, which is claimed as well', async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const { token, due } = await make({ slug });
    const claim = async (transactionHash: Hex): Promise<void> => {
      const [row] = await market.sql<{ id: string }>('select id from payment_orders where due_units = $1', due.units);
      const { errors } = await market.house.ask(
        'mutation ($input: ClaimPaymentInput!) { claimPayment(input: $input) { replayed } }',
        { input: { orderId: encodeGlobalId('PaymentOrder', row?.id ?? ''), transactionHash } },
        { token: market.merchant.accessToken },
      );
      expect(errors).toEqual([]);
      await market.mine();
      await market.watch();
    };
    const { hash: part } = await send(BigInt(due.units) - 500_000n);
    await market.watch();
    await claim(part);
    const rest = await now(token);
    expect(rest).toMatchObject({ status: 'DETECTED', receivedUnits: String(BigInt(due.units) - 500_000n) });
    expect(rest.paymentRequest.eip681).toContain('uint256=500000');
    const { hash } = await send(500_000n);
    await market.watch();
    await claim(hash);
    expect(await now(token)).toMatchObject({ status: 'PAID', receivedUnits: due.units, exceptions: [] });
  });

  it('of the native coin is paid the same way', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: ETH, amount: '0.5' }] });
    const order = await make({ slug });
    expect(order.paymentRequest).toMatchObject({ data: '0x', value: order.due.units });
    await payer.send({ to: order.paymentRequest.to, value: BigInt(order.paymentRequest.value) });
    await market.mine();
    await market.watch();
    expect(await now(order.token)).toMatchObject({ status: 'PAID' });
  });

  it('notes a second payment of just so much, and does not add it', async () => {
    const { slug } = await makeLink(market);
    const order = await make({ slug });
    await send(order.due.units);
    await send(order.due.units);
    await market.mine();
    await market.watch();
    expect(await now(order.token)).toMatchObject({
      status: 'PAID',
      exceptions: ['DUPLICATE'],
      receivedUnits: order.due.units,
    });
  });

  it('needs a payer where that is how its payment is to be known, and none where it is not', async () => {
    const { slug } = await makeLink(market);
    expect((await tryToMake({ slug, matching: 'WALLET' })).code).toBe('PAYER_REQUIRED');
    expect((await tryToMake({ slug, matching: 'UNIQUE_AMOUNT', payer: payer.address })).code).toBe('BAD_USER_INPUT');
    expect((await tryToMake({ slug, matching: 'CLAIM', payer: payer.address })).code).toBe('BAD_USER_INPUT');
    expect(await make({ slug, payer: payer.address })).toMatchObject({
      matching: 'WALLET',
      due: { units: '12500000' },
    });
    expect(await make({ slug, matching: 'CLAIM' })).toMatchObject({ matching: 'CLAIM', due: { units: '12500000' } });
  });
});

describe('an order by its amount and one by its payer', () => {
  it('are each paid by their own', async () => {
    const { slug } = await makeLink(market);
    const wallet = await make({ slug, payer: payer.address });
    const unique = await make({ slug });
    await send(unique.due.units);
    await market.mine();
    await market.watch();
    expect(await now(wallet.token)).toMatchObject({ status: 'CREATED', receivedUnits: '0' });
    expect(await now(unique.token)).toMatchObject({ status: 'PAID' });
    await payer.send({ to: TEST_TOKEN_ADDRESS, data: wallet.paymentRequest.data });
    await market.mine();
    await market.watch();
    expect(await now(wallet.token)).toMatchObject({ status: 'PAID', exceptions: [] });
    expect(await now(unique.token)).toMatchObject({ status: 'PAID', exceptions: [], receivedUnits: unique.due.units });
  });

  it('never ask for just as much: whoever comes later asks for a little more', async () => {
    const { slug } = await makeLink(market);
    const unique = await make({ slug });
    const units = BigInt(unique.due.units);
    const { slug: other } = await makeLink(market, {
      accepts: [{ asset: TUSD, amount: `${units / 1_000_000n}.${String(units % 1_000_000n).padStart(6, '0')}` }],
    });
    for (const matching of ['WALLET', 'CLAIM']) {
      const named = matching === 'WALLET' ? { payer: payer.address } : {};
      const surcharge = BigInt((await make({ slug: other, matching, ...named })).due.units) - units;
      expect(surcharge > 0n && surcharge <= 9_999n).toBe(true);
    }
    const wallet = await make({ slug: other, payer: (await newPayer(market)).address });
    expect(BigInt(wallet.due.units)).not.toBe(units);
    await send(units);
    await market.mine();
    await market.watch();
    expect(await now(unique.token)).toMatchObject({ status: 'PAID', exceptions: [] });
    expect(await now(wallet.token)).toMatchObject({ status: 'CREATED' });
  });

  it('whose payer is named by whoever has seen the payment on its way takes nothing of it', async () => {
    const shop = await signIn(market.house);
    const { data } = await market.house.ask<{ createPaymentLink: { paymentLink: { slug: string } } }>(
      'mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { slug } } }',
      {
        input: {
          title: 'Tips',
          pricing: 'OPEN',
          accepts: [{ asset: TUSD, minAmount: '1', maxAmount: '100', payTo: shop.account.address }],
        },
      },
      { token: shop.accessToken },
    );
    const slug = data?.createPaymentLink.paymentLink.slug ?? '';
    await market.watch();
    const unique = await make({ slug, amount: '12.5' });
    const units = BigInt(unique.due.units);
    const amount = `12.${String(units % 1_000_000n).padStart(6, '0')}`;
    const stranger = await make({ slug, amount, payer: payer.address });
    await send(units, shop.account.address);
    await market.mine();
    await market.watch();
    expect(await now(unique.token)).toMatchObject({ status: 'PAID', receivedUnits: unique.due.units });
    expect(await now(stranger.token)).toMatchObject({ status: 'CREATED', receivedUnits: '0' });
  });

  it('asked for at one instant are apart as well', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.0015' }] });
    const dearer = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.001507' }] });
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        tryToMake(index % 2 === 0 ? { slug } : { slug: dearer.slug, matching: 'CLAIM' }),
      ),
    );
    const orders = made.flatMap(({ order }) => (order ? [order] : []));
    const telling = orders.filter(({ matching }) => matching === 'UNIQUE_AMOUNT').map(({ due }) => due.units);
    const others = orders.filter(({ matching }) => matching === 'CLAIM').map(({ due }) => due.units);
    expect([telling.length, others.length]).toEqual([10, 10]);
    expect(others.filter((units) => telling.includes(units))).toEqual([]);
  });

  it('that find no amount beside those that tell others are refused', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.0003' }] });
    const { slug: dearer } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.000301' }] });
    // one more, two more and three more than the price; and of the dearer one the first of them is the price
    for (let made = 0; made < 3; made += 1) await make({ slug });
    expect((await make({ slug: dearer })).due.units).toBe('304');
    expect((await tryToMake({ slug: dearer, payer: payer.address })).extensions).toMatchObject({
      code: 'UNIQUE_AMOUNT_UNAVAILABLE',
      facts: { reason: 'NONE_FREE' },
    });
  });
});

describe('amounts', () => {
  it('are all different, however many are asked for at one instant, in whatever organizations', async () => {
    const other = await signIn(market.house);
    // one wallet, proved by a member of each
    await join(market, market.merchant, other, 'ADMIN');
    const own = await makeLink(market);
    const theirs = await makeLink(market, {
      by: other,
      accepts: [{ asset: TUSD, amount: '12.5', payTo: market.merchant.account.address }],
    });
    const asked = Array.from({ length: 50 }, (_, index) =>
      tryToMake({ slug: index % 2 === 0 ? own.slug : theirs.slug }),
    );
    const made = (await Promise.all(asked)).flatMap(({ order }) => (order ? [order] : []));
    expect(made).toHaveLength(50);
    expect(new Set(made.map(({ due }) => due.units)).size).toBe(50);
    const held = await market.sql<{ units: string }>(
      'select units::text from unique_amounts where pay_to = $1',
      market.merchant.account.address.toLowerCase(),
    );
    expect(new Set(held.map(({ units }) => units)).size).toBe(held.length);
  });

  it('that are all taken are answered alike, whoever has them', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.0002' }] });
    const first = await make({ slug });
    const second = await make({ slug });
    expect([first.due.units, second.due.units].sort()).toEqual(['201', '202']);
    expect((await tryToMake({ slug })).extensions).toMatchObject({
      code: 'UNIQUE_AMOUNT_UNAVAILABLE',
      facts: { reason: 'NONE_FREE' },
      retryable: false,
    });
  });

  it('stay taken until the time is over and that is final, and are free then', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.0001' }] });
    const order = await make({ slug });
    expect(order.due.units).toBe('101');
    await market.house.ask(
      'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
      { token: order.token },
    );
    await market.watch();
    expect((await tryToMake({ slug })).code).toBe('UNIQUE_AMOUNT_UNAVAILABLE');
    await endTime(order.token);
    await market.watch();
    expect((await tryToMake({ slug })).code).toBe('UNIQUE_AMOUNT_UNAVAILABLE');
    await market.mine(70);
    await market.watch();
    expect((await make({ slug })).due.units).toBe('101');
  });

  it('of open orders are not given back by time alone', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.000105' }] });
    const order = await make({ slug });
    await send(order.due.units);
    await market.mine(2);
    await market.watch();
    await endTime(order.token);
    await market.watch();
    expect(await now(order.token)).toMatchObject({ status: 'PAID' });
    expect((await tryToMake({ slug })).code).toBe('UNIQUE_AMOUNT_UNAVAILABLE');
  });

  it('cannot be told apart where the price is too small', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: TUSD, amount: '0.000099' }] });
    expect((await tryToMake({ slug })).extensions).toMatchObject({
      facts: { reason: 'PRICE_TOO_SMALL', amount: '0.000099' },
    });
  });

  it('are one in a hundred of the price more at most, and 9,999 base units', () => {
    expect([0n, 99n, 100n, 999_899n, 999_900n, 10n ** 30n].map(mostSurcharge)).toEqual([
      0n,
      0n,
      1n,
      9_998n,
      9_999n,
      9_999n,
    ]);
    expect(whyNotUnique({ price: 10n ** 6n, decimals: 0, takesFee: false })).toBe('INDIVISIBLE');
    expect(whyNotUnique({ price: 99n, decimals: 6, takesFee: false })).toBe('PRICE_TOO_SMALL');
    expect(whyNotUnique({ price: 100n, decimals: 6, takesFee: false })).toBeNull();
    expect(whyNotUnique({ price: 100n, decimals: 6, takesFee: true })).toBe('TAKES_FEE');
  });

  it('are held by the database, whoever writes the order', async () => {
    const { slug } = await makeLink(market);
    const order = await make({ slug });
    const copy = (columns: string) =>
      market.sql(
        `insert into payment_orders (
           organization_id, payment_link_id, incarnation_id, asset_id, matching, due_units, surcharge_units, pay_to, payer,
           reference, required_confirmations, head_number, client_hash, expires_at
         )
         select ${columns}
         from payment_orders o
         join handles h on h.target_id = o.id
         where h.value_hash = sha256(convert_to($1, 'UTF8'))`,
        order.token,
      );
    const row = (due: string, surcharge: string, matching = 'o.matching', payer = 'o.payer') =>
      `o.organization_id, o.payment_link_id, o.incarnation_id, o.asset_id, ${matching}, ${due}, ${surcharge}, o.pay_to,
       ${payer}, sha256(o.reference) :: bytea, o.required_confirmations, o.head_number, o.client_hash, o.expires_at`.replace(
        'sha256(o.reference) :: bytea',
        'substring(sha256(o.reference) from 1 for 16)',
      );
    await expect(copy(row('o.due_units', 'o.surcharge_units'))).rejects.toThrow('unique_amounts');
    await expect(copy(row('o.due_units + 20000', '20000'))).rejects.toThrow('unique_amount_check');
    await expect(copy(row('o.due_units', '0'))).rejects.toThrow('unique_amount_check');
    await expect(copy(row('o.due_units', '10000', `'WALLET'`, `'${payer.address}'`))).rejects.toThrow(
      'unique_amount_check',
    );
    await expect(copy(row('o.due_units', '0', `'WALLET'`))).rejects.toThrow('matching_check');
  });
});
