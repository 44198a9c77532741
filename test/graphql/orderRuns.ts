import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** What the world lacks: an order whose part waits, and a transfer that nobody has claimed. */
const PREPARE = `
  with transfer as (
    insert into chain_transfers (
      incarnation_id, transaction_hash, ordinal, asset_id, sender, recipient, units, input, block_number, block_hash,
      block_time, judged_at
    )
    select
      incarnation_id, $3, -1, asset_id, '0x' || repeat('8', 40), pay_to, 1, '', head_number + 1, '0x' || repeat('8', 64),
      created_at, created_at
    from payment_orders where organization_id = $1 and id = $4
  )
  update payment_orders
  set credited_units = 1, status = 'EXPIRED', exceptions = '{UNDERPAID}'
  where organization_id = $1 and id = $2`;

/** Deeds with orders that are there already, by the names that their costs are pinned under. */
export function orderRuns(
  house: () => CountedTollhouse,
  tenant: () => Tenant,
  token: () => string,
): Readonly<Record<string, Run>> {
  const order = (place: number) => tenant().orders.at(place) ?? { id: '', token: '' };
  const hash = `0x${'9'.repeat(64)}`;
  const deed = (name: string, place: number) =>
    house().count(
      `mutation ($id: ID!) { ${name}(input: { id: $id }) { paymentOrder { status exceptions } replayed } }`,
      { id: encodeGlobalId('PaymentOrder', order(place).id) },
      token(),
    );
  return {
    cancelPaymentOrder: () => deed('cancelPaymentOrder', -1),
    cancelCheckoutOrder: () =>
      house().count(
        'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
        { token: order(-2).token },
      ),
    acceptUnderpaid: async () => {
      await withSession(house().database.adminUrl, (client) =>
        client.query(PREPARE, [tenant().organizationId, order(-3).id, hash, order(-4).id]),
      );
      return deed('acceptUnderpaid', -3);
    },
    claimPayment: () =>
      house().count(
        `mutation ($id: ID!, $hash: Hex!) {
          claimPayment(input: { orderId: $id, transactionHash: $hash }) { paymentOrder { status } replayed }
        }`,
        { id: encodeGlobalId('PaymentOrder', order(-4).id), hash },
        token(),
      ),
  };
}
