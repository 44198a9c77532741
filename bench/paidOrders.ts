import { createHash } from 'node:crypto';
import type pg from 'pg';
import {
  bytesToHex,
  concatHex,
  createTestClient,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  http,
  parseAbi,
  publicActions,
} from 'viem';
import { anvil as anvilChain } from 'viem/chains';
import { TEST_TOKEN_ADDRESS } from '../src/chain/providers/testToken.ts';

/** Who is paid by all of them. */
export const PAYEE: Hex = `0x${'bb'.repeat(20)}`;

/** How many orders wait, each for one transfer. */
export const ORDERS = 500;
const PAYERS = 100;
const UNITS = 1_000n;
const PER_BLOCK = 10;
/** What anvil does not call final, with what the watcher keeps below it. */
const UNSETTLED = 80;

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const payers: readonly Hex[] = Array.from({ length: PAYERS }, (_, place) =>
  bytesToHex(digest(`payer ${place}`).subarray(0, 20)),
);

/** One order of a payer, and the reference by which its transfer is known. */
const orders: readonly { readonly payer: Hex; readonly reference: Buffer }[] = Array.from(
  { length: ORDERS },
  (_, place) => ({
    payer: payers[place % PAYERS] ?? '0x',
    reference: digest(`order ${place}`).subarray(0, 16),
  }),
);

/** Writes the orders, of one link, past the law as the seed is; each waits from the chain's first block on. */
export async function writeOrders(client: pg.Client): Promise<void> {
  await client.query('set session_replication_role = replica');
  await client.query('insert into watched_accounts (chain_id, address) values (31337, $1)', [PAYEE]);
  const { rowCount } = await client.query(
    `with link as (select organization_id, id from payment_links order by created_at limit 1),
     made as (
       insert into payment_orders (
         organization_id, payment_link_id, incarnation_id, asset_id, matching, due_units, pay_to, payer, reference,
         required_confirmations, head_number, client_hash, expires_at
       )
       select
         l.organization_id, l.id, i.id, a.id, 'WALLET', $1::numeric, $2, given.payer, decode(given.reference, 'hex'), 2,
         0, decode(repeat('00', 32), 'hex'), now() + interval '1 day'
       from link l
       join chain_incarnations i on i.chain_id = 31337 and i.current
       join assets a on lower(a.caip19) = lower($3)
       cross join unnest($4::text[], $5::text[]) with ordinality as given (payer, reference, place)
       order by given.place
       returning organization_id, id, payment_link_id, due_units
     )
     insert into events (
       organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
     )
     select
       organization_id, 'payment-order.created', 'payment-order', id, 1, 'payer',
       array['payment-order:' || id, 'payment-link:' || payment_link_id],
       jsonb_build_object('units', due_units::text), '{}'::jsonb
     from made`,
    [
      String(UNITS),
      PAYEE,
      `eip155:31337/erc20:${TEST_TOKEN_ADDRESS}`,
      orders.map(({ payer }) => payer),
      orders.map(({ reference }) => reference.toString('hex')),
    ],
  );
  if (rowCount !== ORDERS) throw new Error(`${rowCount} orders were written, not ${ORDERS}.`);
  await client.query('set session_replication_role = origin');
  await client.query('vacuum analyze');
}

/** Pays every order once, some in each block, and makes all of it final; the last block that holds a transfer. */
export async function payOrders(rpcUrl: string): Promise<number> {
  const node = createTestClient({ mode: 'anvil', chain: anvilChain, transport: http(rpcUrl) }).extend(publicActions);
  const send = (from: Hex, data: Hex): Promise<Hex> =>
    node.sendUnsignedTransaction({ from, to: TEST_TOKEN_ADDRESS, data, gas: 200_000n });
  await node.request({ method: 'anvil_autoImpersonateAccount', params: [true] } as never);
  await node.setAutomine(false);
  const mint = parseAbi(['function mint(address, uint256)']);
  for (const payer of payers) {
    await node.setBalance({ address: payer, value: 10n ** 21n });
    await send(payer, encodeFunctionData({ abi: mint, args: [payer, 10n ** 12n] }));
  }
  await node.mine({ blocks: 1 });
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [PAYEE, UNITS] });
  for (let place = 0; place < ORDERS; place += PER_BLOCK) {
    for (const { payer, reference } of orders.slice(place, place + PER_BLOCK)) {
      await send(payer, concatHex([data, bytesToHex(reference)]));
    }
    await node.mine({ blocks: 1 });
  }
  const last = Number(await node.getBlockNumber({ cacheTime: 0 }));
  await node.mine({ blocks: UNSETTLED });
  return last;
}

/** Lets all of them wait again, with nothing read of the chain but its first block. */
export async function forgetPayments(client: pg.Client): Promise<void> {
  const statements = [
    'set session_replication_role = replica',
    'delete from payment_credits where payment_order_id in (select id from payment_orders where pay_to = $1)',
    `delete from provider_transactions where payment_order_id in (select id from payment_orders where pay_to = $1)`,
    'delete from blockchain_transactions where recipient = $1',
    `delete from events
     where aggregate_type = 'payment-order' and aggregate_version > 1
       and aggregate_id in (select id from payment_orders where pay_to = $1)`,
    `update payment_orders
     set status = 'CREATED', exceptions = '{}', credited_units = 0, paid_at = null
     where pay_to = $1`,
    'delete from chain_transfers where recipient = $1',
    'delete from chain_blocks where number > 0',
    `insert into chain_blocks (incarnation_id, number, hash, parent_hash)
     select id, 0, genesis_hash, genesis_hash from chain_incarnations
     where chain_id = 31337 and current
     on conflict do nothing`,
    `update chain_incarnations
     set head_number = 0, safe_number = 0, finalized_number = 0
     where chain_id = 31337 and current`,
    'set session_replication_role = origin',
    'vacuum analyze payment_orders, payment_credits, blockchain_transactions, provider_transactions, chain_transfers',
  ];
  for (const text of statements) await client.query(text, text.includes('$1') ? [PAYEE] : []);
}
