import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { decide, entryOf } from './inbox.ts';
import { ask } from './linkBench.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, type Payer, stateOf } from './market.ts';

// Whoever has used a key before is asked for the fresh proof like everybody, where the organization asks for one.

let market: Market;
let stranger: Payer;
let link: { readonly slug: string; readonly payTo: string };
beforeAll(async () => {
  market = await openMarket();
  stranger = await newPayer(market);
  link = await makeLink(market);
  await market.watch();
});
afterAll(() => market.close());

const asksForProof = (on: boolean): Promise<unknown> =>
  market.sql('update organization_settings set require_step_up = $1', on);
const prove = (ago: string): Promise<unknown> =>
  market.sql(`update sessions set proved_at = now() - $1::interval`, ago);

async function orderId(): Promise<string> {
  const order = await makeOrder(market, { slug: link.slug, payer: (await newPayer(market)).address });
  return encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
}

/** Money that stands in the inbox: its transaction, and the entry. */
async function entered(units: bigint): Promise<{ readonly hash: `0x${string}`; readonly id: string }> {
  const { hash } = await stranger.transfer(link.payTo, units);
  await market.watch();
  const entry = await entryOf(market, market.merchant, hash);
  return { hash, id: entry?.id ?? '' };
}

type Deed = readonly [mutation: string, selection: string, input: () => Promise<Record<string, unknown>>];
const DEEDS: readonly Deed[] = [
  ['ignoreUnmatchedPayment', 'unmatchedPayment { id }', async () => ({ id: (await entered(5n)).id, note: 'a gift' })],
  [
    'assignUnmatchedPayment',
    'unmatchedPayment { id }',
    async () => {
      const id = await orderId();
      return { id: (await entered(6n)).id, orderId: id };
    },
  ],
  ['refundUnmatchedPayment', 'refund { id }', async () => ({ id: (await entered(7n)).id })],
  ['cancelPaymentOrder', 'paymentOrder { id }', async () => ({ id: await orderId() })],
  [
    'claimPayment',
    'paymentOrder { id }',
    async () => {
      const id = await orderId();
      return { orderId: id, transactionHash: (await entered(8n)).hash };
    },
  ],
];

describe('a key that was used before', () => {
  it.each(DEEDS)(
    'answers %s to nobody without a fresh proof, and with one as before',
    async (mutation, selection, given) => {
      await asksForProof(false);
      const input = { ...(await given()), idempotencyKey: `the-key-of-${mutation}` };
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
      const act = () =>
        ask<Record<string, { replayed: boolean }>>(
          market,
          `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} replayed } }`,
          { input },
        );
      expect(await act()).toMatchObject({ code: 'OK', data: { [mutation]: { replayed: false } } });
      await asksForProof(true);
      await prove('11 minutes');
      expect((await act()).code).toBe('STEP_UP_REQUIRED');
      await prove('1 minute');
      expect(await act()).toMatchObject({ code: 'OK', data: { [mutation]: { replayed: true } } });
    },
  );

  it('that nobody has used is asked for it as well, and without a key it is asked', async () => {
    await asksForProof(false);
    const { id } = await entered(9n);
    await asksForProof(true);
    await prove('11 minutes');
    const input = { id, note: 'a gift' };
    for (const key of [{ idempotencyKey: 'a-key-that-nobody-used' }, {}]) {
      expect((await decide(market, market.merchant, 'ignoreUnmatchedPayment', { ...input, ...key })).code).toBe(
        'STEP_UP_REQUIRED',
      );
    }
    await prove('1 minute');
    expect((await decide(market, market.merchant, 'ignoreUnmatchedPayment', input)).code).toBe('OK');
  });
});
