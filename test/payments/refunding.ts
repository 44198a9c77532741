import type { Hex } from 'viem';
import { expect } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { decide, type Refund, refundsOf } from './inbox.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  type Payer,
  type Sent,
  sendFrom,
  stateOf,
  TUSD,
} from './market.ts';

interface Begun {
  readonly shop: Person;
  readonly payTo: string;
  readonly payer: Payer;
  readonly order: Order;
  /** The order's UUID, and its global id. */
  readonly uuid: string;
  readonly orderId: string;
}

/** What is done with refunds, in a market that is open by then. */
export function refunding(market: () => Market) {
  /** A shop of its own, which has been paid 12.5 TUSD for an order, or 1 ETH. */
  async function sell(asset: string = TUSD): Promise<Begun> {
    const shop = await signIn(market().house);
    const payer = await newPayer(market());
    const amount = asset === TUSD ? '12.5' : '1';
    const { slug, payTo } = await makeLink(market(), { by: shop, accepts: [{ asset, amount }] });
    await market().watch();
    const order = await makeOrder(market(), { slug, payer: payer.address });
    await payer.pay(order);
    await market().mine(3);
    await market().watch();
    await market().chain.node.setBalance({ address: shop.account.address, value: 10n ** 21n });
    const { id: uuid, status } = await stateOf(market(), order);
    expect(['PAID', 'FINAL']).toContain(status);
    return { shop, payTo, payer, order, uuid, orderId: encodeGlobalId('PaymentOrder', uuid) };
  }

  async function request(by: Person, orderId: string, amount?: string): Promise<Refund> {
    const { code, answer } = await decide(market(), by, 'requestRefund', { orderId, amount: amount ?? null });
    if (!answer) throw new Error(`No refund was asked for: ${code}`);
    return answer.refund;
  }

  /** A refund with a destination that the owner has said. */
  async function addressed(by: Person, orderId: string, amount: string, destination: Hex): Promise<Refund> {
    const { id } = await request(by, orderId, amount);
    const { answer } = await decide(market(), by, 'setRefundDestination', {
      id,
      destination,
      reason: 'asked by phone',
    });
    if (!answer) throw new Error('The refund got no destination.');
    return answer.refund;
  }

  /** Sends what the refund asks for, from the shop's own wallet. */
  function sendBack(shop: Person, { paymentRequest }: Pick<Refund, 'paymentRequest'>): Promise<Sent> {
    if (!paymentRequest) throw new Error('There is nothing to send.');
    const { to, value, data } = paymentRequest;
    return sendFrom(market().chain, shop.account, { to, value: BigInt(value), data });
  }

  async function stateIn(by: Person, orderId: string, id: string): Promise<Refund> {
    const uuid = Buffer.from(orderId, 'base64url').toString().split(':')[1] ?? '';
    const found = (await refundsOf(market(), by, uuid)).refunds.find((each) => each.id === id);
    if (!found) throw new Error('The order has no such refund.');
    return found;
  }

  async function settle(): Promise<void> {
    await market().mine();
    await market().watch();
  }

  /** What a payer sees of the first refund of its order, with the text to sign. */
  async function messageOf(
    order: Order,
    destination: Hex,
  ): Promise<{ id: string; status: string; amount: string; destination: string | null; message: string } | undefined> {
    const { data } = await market().house.ask<{ checkoutOrder: { refunds: never[] } }>(
      `query ($token: String!, $destination: Address!) { checkoutOrder(token: $token) {
        refunds { id status amount destination message(destination: $destination) } } }`,
      { token: order.token, destination },
    );
    return data?.checkoutOrder.refunds[0];
  }

  async function confirm(input: Record<string, unknown>): Promise<string> {
    const { errors } = await market().house.ask(
      `mutation ($input: ConfirmRefundDestinationInput!) {
        confirmRefundDestination(input: $input) { checkoutOrder { refunds { status destination } } }
      }`,
      { input },
    );
    return errors[0]?.extensions.code ?? 'OK';
  }

  return { sell, request, addressed, sendBack, stateIn, settle, messageOf, confirm };
}
