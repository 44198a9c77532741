import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { type Market, openMarket, sendFrom, stateOf, transferCall } from './market.ts';
import { beginOn } from './orderTerms.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market.close());

const { addressed, sell, sendBack, stateIn, settle } = refunding(() => market);

/** More than one statement asks for. */
const MANY = 260;

/** Makes many older orders of one that is being confirmed, each with a transfer in the same block. */
async function multiplyOrder(id: string): Promise<void> {
  await market.sql(
    `create temporary table copies as
     select
       n, o.organization_id, o.id as original, uuid_v7() as id, uuid_v7() as transaction_id,
       '0x' || encode(sha256(n::text::bytea), 'hex') as hash
     from payment_orders o cross join generate_series(1, $2::int) n
     where o.id = $1`,
    id,
    MANY,
  );
  await market.sql(
    `insert into payment_orders
     select (jsonb_populate_record(o, jsonb_build_object(
       'id', c.id, 'reference', '\\x' || substr(c.hash, 3, 32), 'created_at', o.created_at - interval '1 minute'
     ))).*
     from payment_orders o join copies c on c.original = o.id`,
  );
  await market.sql(
    `insert into blockchain_transactions
     select distinct on (c.id) (jsonb_populate_record(b, jsonb_build_object('id', c.transaction_id, 'hash', c.hash))).*
     from blockchain_transactions b
     join payment_credits p on p.organization_id = b.organization_id and p.blockchain_transaction_id = b.id
     join copies c on c.original = p.payment_order_id`,
  );
  await market.sql(
    `insert into payment_credits (organization_id, payment_order_id, blockchain_transaction_id, units)
     select c.organization_id, c.id, c.transaction_id, o.due_units
     from copies c join payment_orders o on o.id = c.original`,
  );
  await market.sql(
    `insert into chain_transfers
     select (jsonb_populate_record(t, jsonb_build_object(
       'id', c.transaction_id, 'transaction_hash', c.hash, 'claimed_for_id', c.id
     ))).*
     from chain_transfers t join copies c on c.original = t.claimed_for_id`,
  );
}

/** Makes many older refunds of one that has a destination. */
async function multiplyRefund(globalId: string): Promise<void> {
  await market.sql(
    `insert into payment_refunds
     select (jsonb_populate_record(r, jsonb_build_object(
       'id', overlay(r.id::text placing lpad(to_hex(n), 4, '0') from 33 for 4),
       'created_at', r.created_at - interval '1 minute'
     ))).*
     from payment_refunds r cross join generate_series(1, $2::int) n
     where r.id = $1`,
    Buffer.from(globalId, 'base64url').toString().split(':')[1],
    MANY,
  );
}

describe('those that wait', () => {
  it('for ten thousand blocks hold up no order that is paid in the next one', async () => {
    const patient = await beginOn(market, { finality: 'CONFIRMATIONS', finality_confirmations: 10_000 });
    const { id } = await stateOf(market, patient.order);
    await patient.payer.pay(patient.order);
    await market.watch();
    expect(await stateOf(market, patient.order)).toMatchObject({ status: 'CONFIRMING' });
    await multiplyOrder(id);
    const next = await beginOn(market, {});
    await next.payer.pay(next.order);
    await market.watch();
    expect(await stateOf(market, next.order)).toMatchObject({ status: 'CONFIRMING' });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, next.order)).toMatchObject({ status: 'PAID' });
    expect(await stateOf(market, patient.order)).toMatchObject({ status: 'CONFIRMING' });
  });

  it('for a transfer like one that was sent before hold up no refund that was sent', async () => {
    const { shop, orderId } = await sell();
    const [before, after] = [generatePrivateKey(), generatePrivateKey()].map((key) => privateKeyToAccount(key).address);
    if (!before || !after) throw new Error('There are two of them.');
    const watched = await addressed(shop, orderId, '1', before);
    const call = { to: TEST_TOKEN_ADDRESS, data: transferCall(before, 2_000_000n) } as const;
    await sendFrom(market.chain, shop.account, call);
    await market.watch();
    const waiting = await addressed(shop, orderId, '2', before);
    const sent = await addressed(shop, orderId, '3', after);
    await multiplyRefund(waiting.id);
    await sendBack(shop, sent);
    await settle();
    expect(await stateIn(shop, orderId, sent.id)).toMatchObject({ status: 'COMPLETED' });
    expect(await stateIn(shop, orderId, waiting.id)).toMatchObject({ status: 'PENDING' });
    expect(await stateIn(shop, orderId, watched.id)).toMatchObject({ status: 'PENDING' });
  });
});
