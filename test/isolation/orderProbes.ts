import { randomBytes } from 'node:crypto';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

const TEXT = 'names nothing: it is written into a text that is shown';
const NOTHING = `0x${'0'.repeat(64)}`;

/** The texts that are about orders which are there already, by where they go. */
export function orderProbes({
  idPairs,
  namePairs,
  askAsOther,
  own,
  theirs,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  readonly namePairs: () => Pair[];
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  readonly own: () => Tenant;
  readonly theirs: () => Tenant;
}): Readonly<Record<string, Probe | string>> {
  const orderOf = ({ orders }: Tenant): string => encodeGlobalId('PaymentOrder', orders[2]?.id ?? '');
  const deeds = ['cancelPaymentOrder', 'acceptUnderpaid'].flatMap((deed): [string, Probe][] => [
    [
      `Mutation.${deed}.input.id`,
      {
        query: `mutation ($value: ID!) { ${deed}(input: { id: $value }) { paymentOrder { status } replayed } }`,
        pairs: idPairs,
      },
    ],
    [
      `Mutation.${deed}.input.idempotencyKey`,
      {
        query: `mutation ($value: String, $id: ID!) {
          ${deed}(input: { id: $id, idempotencyKey: $value }) { paymentOrder { status } replayed }
        }`,
        variables: (value) => ({ value, id: orderOf(own()) }),
        pairs: usedKey,
      },
    ],
  ]);
  async function usedKey(): Promise<Pair[]> {
    const key = randomBytes(16).toString('hex');
    const id = orderOf(theirs());
    // one that is called off stays so, and the key is used
    await askAsOther(
      `mutation ($key: String) { cancelPaymentOrder(input: { id: "${id}", idempotencyKey: $key }) { replayed } }`,
      key,
    );
    return [[key, randomBytes(16).toString('hex')]];
  }
  const hashes = (): Pair[] => [
    [theirs().transactions[0]?.hash ?? '', `0x${randomBytes(32).toString('hex')}`],
    [theirs().transactions[1]?.hash ?? '', `0x${randomBytes(32).toString('hex')}`],
  ];
  return {
    'CheckoutOrder.claimMessage.transactionHash': TEXT,
    'PaymentOrder.claimMessage.transactionHash': TEXT,
    ...Object.fromEntries(deeds),
    'Mutation.cancelCheckoutOrder.input.token': {
      query:
        'mutation ($value: String!) { cancelCheckoutOrder(input: { token: $value }) { checkoutOrder { status } } }',
      pairs: namePairs,
    },
    'Mutation.claimPayment.input.token': {
      query: `mutation ($value: String!) {
        claimPayment(input: { token: $value, transactionHash: "${NOTHING}" }) { checkoutOrder { status } }
      }`,
      pairs: namePairs,
    },
    'Mutation.claimPayment.input.orderId': {
      query: `mutation ($value: ID!) {
        claimPayment(input: { orderId: $value, transactionHash: "${NOTHING}" }) { paymentOrder { status } }
      }`,
      pairs: idPairs,
    },
    'Mutation.claimPayment.input.transactionHash': {
      query: `mutation ($value: Hex!, $id: ID!) {
        claimPayment(input: { orderId: $id, transactionHash: $value }) { paymentOrder { status } }
      }`,
      variables: (value) => ({ value, id: orderOf(own()) }),
      pairs: hashes,
    },
    'Mutation.claimPayment.input.signature': 'names nothing: a signature of the text that the order is claimed by',
    'Mutation.claimPayment.input.idempotencyKey': {
      query: `mutation ($value: String, $id: ID!) {
        claimPayment(input: { orderId: $id, transactionHash: "${NOTHING}", idempotencyKey: $value }) { replayed }
      }`,
      variables: (value) => ({ value, id: orderOf(own()) }),
      pairs: usedKey,
    },
  };
}
