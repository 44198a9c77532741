import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** An entry of the inbox for each transaction of each organization, with its id, so that it can be named. */
export const INBOX = `
  insert into unmatched_payments (organization_id, id, blockchain_transaction_id, reason, created_at)
  select organization_id, id, id, 'NO_ORDER', created_at from blockchain_transactions where $1::uuid is not null`;

/** A refund of each order, with its id. */
export const REFUNDS = `
  insert into payment_refunds (
    organization_id, id, payment_order_id, incarnation_id, asset_id, units, pay_from, finality, required_confirmations,
    created_at
  )
  select
    organization_id, id, id, incarnation_id, asset_id, 1, pay_to, 'CONFIRMATIONS', 2, created_at
  from payment_orders where $1::uuid is not null`;

/** What a provider says of each order, with its id. */
export const PROVIDED = `
  insert into provider_transactions (
    organization_id, id, provider, reference, kind, status, asset_id, units, payment_order_id, created_at
  )
  select organization_id, id, 'manual', id::text, 'PAYMENT', 'REVERSED', asset_id, 1, id, created_at
  from payment_orders where $1::uuid is not null`;

const TEXT = 'names nothing: a text for people';
const NOTHING = encodeGlobalId('PaymentRefund', newId());
const SOMEWHERE = `0x${'7'.repeat(40)}`;

/** The texts that are about the inbox and about refunds, by where they go. */
export function refundProbes({
  idPairs,
  namePairs,
  addressPairs,
  cursors,
  connection,
  askAsOther,
  own,
  theirs,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  readonly namePairs: () => Pair[];
  readonly addressPairs: () => Pair[];
  readonly cursors: (table: string) => Promise<Pair[]>;
  /** The probes of an organization's connection. */
  readonly connection: (field: string, table: string) => Readonly<Record<string, Probe>>;
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  readonly own: () => Tenant;
  readonly theirs: () => Tenant;
}): Readonly<Record<string, Probe | string>> {
  const usedKey = async (): Promise<Pair[]> => {
    const key = randomBytes(16).toString('hex');
    const id = encodeGlobalId('PaymentRefund', theirs().orders[1]?.id ?? '');
    // a key is used even where nothing more can be done
    await askAsOther(
      `mutation ($key: String) { cancelRefund(input: { id: "${id}", idempotencyKey: $key }) { replayed } }`,
      key,
    );
    return [[key, randomBytes(16).toString('hex')]];
  };
  const keyed = (deed: string, words: string): Probe => ({
    query: `mutation ($value: String) { ${deed}(input: { ${words}, idempotencyKey: $value }) { replayed } }`,
    pairs: usedKey,
  });
  const named = (deed: string, field: string, words = ''): Probe => ({
    query: `mutation ($value: ID!) { ${deed}(input: { ${field}: $value${words} }) { replayed } }`,
    pairs: idPairs,
  });
  const ofOrder = (field: string, table: string, argument: string): Probe => ({
    query: `query ($value: String) { organization { paymentOrders { edges { node {
      ${field}(${argument}: $value) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }
    } } } } }`,
    pairs: () => cursors(table),
  });
  const CONFIRM = `mutation ($token: String!, $refundId: ID!, $destination: Address!, $signer: Address!, $signature: Hex!) {
    confirmRefundDestination(input: {
      token: $token, refundId: $refundId, destination: $destination, signer: $signer, signature: $signature
    }) { checkoutOrder { status refunds { status } } }
  }`;
  const confirm = (field: string, pairs: () => Pair[]): Probe => ({
    query: CONFIRM,
    variables: (value) => ({
      token: own().orders[0]?.token,
      refundId: encodeGlobalId('PaymentRefund', own().orders[0]?.id ?? ''),
      destination: SOMEWHERE,
      signer: SOMEWHERE,
      signature: `0x${'11'.repeat(65)}`,
      [field]: value,
    }),
    pairs,
  });
  return {
    ...connection('unmatchedPayments', 'unmatched_payments'),
    ...connection('paymentRefunds', 'payment_refunds'),
    ...connection('providerTransactions', 'provider_transactions'),
    'PaymentOrder.refunds.after': ofOrder('refunds', 'payment_refunds', 'after'),
    'PaymentOrder.refunds.before': ofOrder('refunds', 'payment_refunds', 'before'),
    'PaymentOrder.providerTransactions.after': ofOrder('providerTransactions', 'provider_transactions', 'after'),
    'PaymentOrder.providerTransactions.before': ofOrder('providerTransactions', 'provider_transactions', 'before'),
    'Mutation.recordManualPayment.input.orderId': named(
      'recordManualPayment',
      'orderId',
      ', amount: "1", reference: "x"',
    ),
    'Mutation.recordManualPayment.input.amount': 'names nothing: an amount',
    'Mutation.recordManualPayment.input.note': TEXT,
    'Mutation.recordManualPayment.input.reference': {
      query: `mutation ($value: String!) {
        recordManualPayment(input: { orderId: "${NOTHING}", amount: "1", reference: $value }) { replayed }
      }`,
      pairs: () => [[theirs().orders[0]?.id ?? '', newId()]],
    },
    'Mutation.recordManualPayment.input.idempotencyKey': keyed(
      'recordManualPayment',
      `orderId: "${NOTHING}", amount: "1", reference: "x"`,
    ),
    'Mutation.voidManualPayment.input.id': named('voidManualPayment', 'id', ', reason: "x"'),
    'Mutation.voidManualPayment.input.reason': TEXT,
    'Mutation.voidManualPayment.input.idempotencyKey': keyed('voidManualPayment', `id: "${NOTHING}", reason: "x"`),
    'CheckoutRefund.message.destination': 'names nothing: where money is to go, which stands in the answer',
    'Mutation.assignUnmatchedPayment.input.id': named('assignUnmatchedPayment', 'id', `, orderId: "${NOTHING}"`),
    'Mutation.assignUnmatchedPayment.input.orderId': {
      query:
        'mutation ($value: ID!, $id: ID!) { assignUnmatchedPayment(input: { id: $id, orderId: $value }) { replayed } }',
      variables: (value) => ({ value, id: encodeGlobalId('UnmatchedPayment', own().transactions[0]?.id ?? '') }),
      pairs: idPairs,
    },
    'Mutation.assignUnmatchedPayment.input.idempotencyKey': keyed(
      'assignUnmatchedPayment',
      `id: "${NOTHING}", orderId: "${NOTHING}"`,
    ),
    'Mutation.ignoreUnmatchedPayment.input.id': named('ignoreUnmatchedPayment', 'id', ', note: "x"'),
    'Mutation.ignoreUnmatchedPayment.input.note': TEXT,
    'Mutation.ignoreUnmatchedPayment.input.idempotencyKey': keyed(
      'ignoreUnmatchedPayment',
      `id: "${NOTHING}", note: "x"`,
    ),
    'Mutation.ignoreUnmatchedPayments.input.ids': {
      query: `mutation ($value: ID!) {
        ignoreUnmatchedPayments(input: { ids: [$value], note: "x" }) { replayed }
      }`,
      pairs: idPairs,
    },
    'Mutation.ignoreUnmatchedPayments.input.note': TEXT,
    'Mutation.ignoreUnmatchedPayments.input.idempotencyKey': keyed(
      'ignoreUnmatchedPayments',
      `ids: ["${encodeGlobalId('UnmatchedPayment', newId())}"], note: "x"`,
    ),
    'Mutation.refundUnmatchedPayment.input.id': named('refundUnmatchedPayment', 'id'),
    'Mutation.refundUnmatchedPayment.input.reason': TEXT,
    'Mutation.refundUnmatchedPayment.input.idempotencyKey': keyed('refundUnmatchedPayment', `id: "${NOTHING}"`),
    'Mutation.requestRefund.input.orderId': named('requestRefund', 'orderId', ', amount: "1"'),
    'Mutation.requestRefund.input.amount': 'names nothing: an amount',
    'Mutation.requestRefund.input.reason': TEXT,
    'Mutation.requestRefund.input.idempotencyKey': keyed('requestRefund', `orderId: "${NOTHING}"`),
    'Mutation.setRefundDestination.input.id': named(
      'setRefundDestination',
      'id',
      `, destination: "${SOMEWHERE}", reason: "x"`,
    ),
    'Mutation.setRefundDestination.input.destination': {
      query: `mutation ($value: Address!) {
        setRefundDestination(input: { id: "${NOTHING}", destination: $value, reason: "x" }) { replayed }
      }`,
      pairs: addressPairs,
    },
    'Mutation.setRefundDestination.input.reason': TEXT,
    'Mutation.setRefundDestination.input.idempotencyKey': keyed(
      'setRefundDestination',
      `id: "${NOTHING}", destination: "${SOMEWHERE}", reason: "x"`,
    ),
    'Mutation.cancelRefund.input.id': named('cancelRefund', 'id'),
    'Mutation.cancelRefund.input.idempotencyKey': keyed('cancelRefund', `id: "${NOTHING}"`),
    'Mutation.confirmRefundDestination.input.token': confirm('token', namePairs),
    'Mutation.confirmRefundDestination.input.refundId': confirm('refundId', idPairs),
    'Mutation.confirmRefundDestination.input.destination': confirm('destination', addressPairs),
    'Mutation.confirmRefundDestination.input.signer': confirm('signer', addressPairs),
    'Mutation.confirmRefundDestination.input.signature': 'names nothing: a signature, which is checked',
  };
}
