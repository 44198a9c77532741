import { concatHex, encodeFunctionData, erc20Abi, getContractAddress, type Hex, maxUint256, parseAbi } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import fee from '../chain/contracts/FeeToken.json' with { type: 'json' };
import silent from '../chain/contracts/SilentToken.json' with { type: 'json' };
import { type DeployedToken, deployToken } from '../chain/tokens.ts';
import { expectBooksToBalance } from './books.ts';
import { callerOf, deployTokenOf } from './contracts.ts';
import { type Market, makeLink, makeOrder, newPayer, type Order, openMarket, type Payer, stateOf } from './market.ts';

let market: Market;
let payer: Payer;
let feeToken: DeployedToken;
let silentToken: DeployedToken;
let whole: Hex;
let fine: Hex;
/** Of a token that is registered for nothing here. */
let unknown: Hex;

const named = (address: string): string => `eip155:31337/erc20:${address}`;

beforeAll(async () => {
  market = await openMarket();
  payer = await newPayer(market);
  feeToken = await deployToken(market.chain, payer, fee);
  silentToken = await deployToken(market.chain, payer, silent);
  [whole, fine, unknown] = [
    await deployTokenOf(market, payer, 0),
    await deployTokenOf(market, payer, 18),
    await deployTokenOf(market, payer, 6),
  ];
  const assets = [
    ...market.chain.setting.assets,
    { address: feeToken.address, symbol: 'FEE', name: 'Fee Token', decimals: 6, creditsBalanceDifference: true },
    { address: silentToken.address, symbol: 'SIL', name: 'Silent Token', decimals: 6 },
    { address: whole, symbol: 'TUSD', name: 'Ticket', decimals: 0 },
    { address: fine, symbol: 'TUSD', name: 'Fine Token', decimals: 18 },
  ];
  await registerChain(market.worker, { setting: { ...market.chain.setting, assets }, reader: market.reader });
  await market.watch();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

async function begin(token: string, amount: string): Promise<Order> {
  const { slug } = await makeLink(market, { accepts: [{ asset: named(token), amount }] });
  await market.watch();
  return makeOrder(market, { slug, payer: payer.address });
}

/** Sends a token's units to the merchant, with the order's reference. */
const pay = ({ reference }: Order, token: Hex, units: bigint) =>
  payer.send({
    to: token,
    data: concatHex([
      encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [market.merchant.account.address, units] }),
      reference,
    ]),
  });

const confirm = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

describe('a token', () => {
  it.each([
    ['of no decimals', () => whole, '3', 3n],
    [
      'of eighteen decimals, beyond what a double can count',
      () => fine,
      '9007199254.740993000000000001',
      9_007_199_254_740_993_000_000_000_001n,
    ],
  ] as const)('%s is paid to the unit', async (_, token, amount, units) => {
    const order = await begin(token(), amount);
    expect(order.due).toEqual({ amount, units: String(units) });
    await pay(order, token(), units - 1n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: units - 1n });
    await pay(order, token(), 1n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: units, exceptions: [] });
  });

  it('of no decimals has no amounts that tell payments apart', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: named(whole), amount: '1000000' }] });
    const { errors } = await market.house.ask(
      'mutation ($slug: String!) { createPaymentOrder(input: { slug: $slug }) { checkoutOrder { token } } }',
      { slug },
    );
    expect(errors[0]?.extensions).toMatchObject({
      code: 'UNIQUE_AMOUNT_UNAVAILABLE',
      facts: { reason: 'INDIVISIBLE', amount: '1000000' },
    });
  });

  it('that answers nothing to a transfer is paid like every other', async () => {
    const order = await begin(silentToken.address, '12.5');
    await pay(order, silentToken.address, 12_500_000n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('that takes a fee credits what arrived, and the payer sends the rest', async () => {
    const order = await begin(feeToken.address, '12.5');
    await pay(order, feeToken.address, 12_500_000n);
    await confirm();
    const { status, credited } = await stateOf(market, order);
    expect(status).toBe('DETECTED');
    const balance = await market.chain.public.readContract({
      address: feeToken.address,
      abi: erc20Abi,
      functionName: 'balanceOf',
      args: [market.merchant.account.address],
    });
    expect([credited, credited < 12_500_000n]).toEqual([balance, true]);
    await pay(order, feeToken.address, 5_000_000n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['OVERPAID'] });
  });

  it('that takes a fee has no amounts that tell payments apart, and is paid by a wallet or a claim', async () => {
    const { slug } = await makeLink(market, { accepts: [{ asset: named(feeToken.address), amount: '12.5' }] });
    const { errors } = await market.house.ask(
      'mutation ($slug: String!) { createPaymentOrder(input: { slug: $slug }) { checkoutOrder { token } } }',
      { slug },
    );
    expect(errors[0]?.extensions).toMatchObject({
      code: 'UNIQUE_AMOUNT_UNAVAILABLE',
      facts: { reason: 'TAKES_FEE', matchings: ['WALLET', 'CLAIM'] },
    });
    const asked = await market.house.ask<{ createPaymentOrder: { checkoutOrder: { matching: string } } }>(
      `mutation ($slug: String!) {
        createPaymentOrder(input: { slug: $slug, matching: CLAIM }) { checkoutOrder { matching } }
      }`,
      { slug },
    );
    expect(asked.data?.createPaymentOrder.checkoutOrder.matching).toBe('CLAIM');
  });

  it('that looks the same and is not the one that was asked for pays nothing', async () => {
    const order = await begin(TEST_TOKEN_ADDRESS, '12.5');
    await pay(order, unknown, 12_500_000n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await pay(order, TEST_TOKEN_ADDRESS, 12_500_000n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });
});

describe('dust', () => {
  it('is credited where it names the order, and leaves it as open as it was', async () => {
    const order = await begin(fine, '1');
    await pay(order, fine, 1n);
    await pay(order, fine, 0n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 1n, exceptions: [] });
    await pay(order, fine, 10n ** 18n);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['OVERPAID'] });
  });

  it('of a stranger without the reference is nobody’s', async () => {
    const order = await begin(fine, '1');
    const stranger = await newPayer(market);
    await payer.send({
      to: fine,
      data: encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [stranger.account.address, 5n] }),
    });
    await stranger.transfer(market.merchant.account.address, 1n, { token: fine });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });
});

describe('a bundle that sends for two wallets', () => {
  it('is credited to each one’s order, whoever made it', async () => {
    const other = await newPayer(market);
    const { slug } = await makeLink(market);
    await market.watch();
    const orders = [
      await makeOrder(market, { slug, payer: payer.address }),
      await makeOrder(market, { slug, payer: other.address }),
    ] as const;
    const bundler = await newPayer(market);
    const nonce = await market.chain.public.getTransactionCount({ address: bundler.address });
    const spender = getContractAddress({ from: bundler.address, nonce: BigInt(nonce) });
    const approve = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [spender, maxUint256] });
    for (const from of [payer, other]) await from.send({ to: TEST_TOKEN_ADDRESS, data: approve });
    const moving = parseAbi(['function transferFrom(address, address, uint256)']);
    const calls = [payer, other].map((from, index) => ({
      to: TEST_TOKEN_ADDRESS,
      data: concatHex([
        encodeFunctionData({
          abi: moving,
          functionName: 'transferFrom',
          args: [from.account.address, market.merchant.account.address, 12_500_000n],
        }),
        // each names the other’s order: who sent it decides
        orders[index === 0 ? 1 : 0].reference,
      ]),
    }));
    await bundler.send({ data: callerOf(calls) });
    await confirm();
    for (const order of orders) {
      expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    }
  });
});

describe('two orders for the same amount at one instant', () => {
  it('are each paid by what names them, in one block', async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const orders = await Promise.all([0, 1].map(() => makeOrder(market, { slug, payer: payer.address })));
    for (const order of orders) await payer.pay(order);
    await confirm();
    for (const order of orders) {
      expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    }
  });
});
