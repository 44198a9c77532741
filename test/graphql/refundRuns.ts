import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** What the world lacks: transfers that no order took, and orders that money came for, from one account. */
const PREPARE = `
  with unseen as (
    select * from blockchain_transactions b
    where b.organization_id = $1
      and not exists (select from unmatched_payments u where u.blockchain_transaction_id = b.id)
  ),
  transfers as (
    insert into chain_transfers (
      incarnation_id, transaction_hash, ordinal, asset_id, sender, recipient, units, input, block_number, block_hash,
      block_time
    )
    select incarnation_id, hash, ordinal, asset_id, sender, recipient, units, '', block_number, block_hash, block_time
    from unseen
  ),
  entries as (
    insert into unmatched_payments (organization_id, id, blockchain_transaction_id, reason)
    select organization_id, id, id, 'NO_ORDER' from unseen
  ),
  sent as (
    update blockchain_transactions set sender = $2 where organization_id = $1
  )
  update payment_orders set credited_units = 2 where organization_id = $1`;

/** Deeds with the inbox and with refunds, by the names that their costs are pinned under. */
export function refundRuns(
  house: () => CountedTollhouse,
  tenant: () => Tenant,
  token: () => string,
): Readonly<Record<string, Run>> {
  const payer = privateKeyToAccount(generatePrivateKey());
  let refundId = '';
  let recordedId = '';
  const entry = (place: number): string => encodeGlobalId('UnmatchedPayment', tenant().transactions[place]?.id ?? '');
  const order = (place: number): string => encodeGlobalId('PaymentOrder', tenant().orders[place]?.id ?? '');
  const change = async (deed: string, words: string): ReturnType<CountedTollhouse['count']> => {
    const shown = deed.endsWith('Payment') && deed !== 'refundUnmatchedPayment' ? 'unmatchedPayment' : 'refund';
    const run = await house().count(
      `mutation { ${deed}(input: { ${words} }) { ${shown} { id status } } }`,
      {},
      token(),
    );
    const { refund } = (run.answer.data?.[deed] ?? {}) as { refund?: { id: string } };
    refundId = refund?.id ?? refundId;
    return run;
  };
  return {
    ignoreUnmatchedPayment: async () => {
      await withSession(house().database.adminUrl, (client) =>
        client.query(PREPARE, [tenant().organizationId, payer.address.toLowerCase()]),
      );
      return change('ignoreUnmatchedPayment', `id: "${entry(0)}", note: "ours"`);
    },
    ignoreUnmatchedPayments: () =>
      house().count(
        `mutation ($ids: [ID!]!) {
          ignoreUnmatchedPayments(input: { ids: $ids, note: "dust" }) { unmatchedPayments { id status } }
        }`,
        { ids: [entry(0), entry(1)] },
        token(),
      ),
    assignUnmatchedPayment: () => change('assignUnmatchedPayment', `id: "${entry(0)}", orderId: "${order(1)}"`),
    refundUnmatchedPayment: () => change('refundUnmatchedPayment', `id: "${entry(1)}"`),
    recordManualPayment: async () => {
      const run = await house().count(
        `mutation ($orderId: ID!) {
          recordManualPayment(input: { orderId: $orderId, amount: "1", reference: "receipt 1" }) {
            providerTransaction { id status }
          }
        }`,
        { orderId: order(3) },
        token(),
      );
      const recorded = run.answer.data?.recordManualPayment as { providerTransaction: { id: string } } | undefined;
      recordedId = recorded?.providerTransaction.id ?? '';
      return run;
    },
    voidManualPayment: () =>
      house().count(
        `mutation ($id: ID!) {
          voidManualPayment(input: { id: $id, reason: "another order" }) { providerTransaction { id status } }
        }`,
        { id: recordedId },
        token(),
      ),
    requestRefund: () => change('requestRefund', `orderId: "${order(2)}", amount: "0.000000000000000001"`),
    setRefundDestination: () =>
      change('setRefundDestination', `id: "${refundId}", destination: "0x${'5'.repeat(40)}", reason: "by phone"`),
    cancelRefund: () => change('cancelRefund', `id: "${refundId}"`),
    confirmRefundDestination: async () => {
      await change('requestRefund', `orderId: "${order(2)}"`);
      const destination = `0x${'6'.repeat(40)}`;
      const token = tenant().orders[2]?.token;
      const { data } = await house().ask<{ checkoutOrder: { refunds: { message: string; status: string }[] } }>(
        `query ($token: String!, $destination: Address!) {
          checkoutOrder(token: $token) { refunds { status message(destination: $destination) } }
        }`,
        { token, destination },
      );
      const message = data?.checkoutOrder.refunds.find(({ status }) => status === 'REQUESTED')?.message ?? '';
      return house().count(
        `mutation ($input: ConfirmRefundDestinationInput!) {
          confirmRefundDestination(input: $input) { checkoutOrder { refunds { status } } }
        }`,
        {
          input: {
            token,
            refundId,
            destination,
            signer: payer.address,
            signature: await payer.signMessage({ message }),
          },
        },
      );
    },
  };
}
