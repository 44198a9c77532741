import type { Tenant } from '../support/tenants.ts';
import type { Pair, Probe } from './probe.ts';

/** What the tests of the API know of the two tenants. */
interface Values {
  readonly namePairs: () => Pair[];
  readonly addressPairs: () => Pair[];
  /** A key that the other tenant has used. */
  readonly keyPairs: () => Promise<Pair[]>;
  /** The tenant that asks, and what all can be paid in. */
  readonly world: () => { readonly own: Tenant; readonly coin: string };
}

/** The texts that make links and orders, by where they go. */
export function paymentProbes({
  namePairs,
  addressPairs,
  keyPairs,
  world,
}: Values): Readonly<Record<string, Probe | string>> {
  return {
    'Mutation.createPaymentLink.input.idempotencyKey': {
      query: `mutation ($value: String, $payTo: Address!, $asset: String!) {
        createPaymentLink(input: {
          title: "x", accepts: [{ asset: $asset, amount: "1", payTo: $payTo }], idempotencyKey: $value
        }) { paymentLink { title } replayed }
      }`,
      variables: (value) => ({ value, payTo: world().own.people.OWNER.address, asset: world().coin }),
      pairs: keyPairs,
    },
    'Mutation.createPaymentLink.input.accepts.asset': {
      query: `mutation ($value: String!, $payTo: Address!) {
        createPaymentLink(input: { title: "x", accepts: [{ asset: $value, amount: "1", payTo: $payTo }] }) { paymentLink { id } }
      }`,
      variables: (value) => ({ value, payTo: world().own.people.OWNER.address }),
      pairs: namePairs,
    },
    'Mutation.createPaymentLink.input.accepts.payTo': {
      query: `mutation ($value: Address!, $asset: String!) {
        createPaymentLink(input: { title: "x", accepts: [{ asset: $asset, amount: "1", payTo: $value }] }) { paymentLink { id } }
      }`,
      variables: (value) => ({ value, asset: world().coin }),
      pairs: addressPairs,
    },
    'Mutation.createPaymentOrder.input.slug': {
      query: `mutation ($value: String!, $payer: Address) {
        createPaymentOrder(input: { slug: $value, payer: $payer }) { checkoutOrder { token } }
      }`,
      variables: (value) => ({ value, payer: world().own.people.MEMBER.address }),
      pairs: namePairs,
    },
    'Mutation.createPaymentOrder.input.asset': {
      query: `mutation ($value: String, $slug: String!, $payer: Address) {
        createPaymentOrder(input: { slug: $slug, asset: $value, payer: $payer }) { checkoutOrder { token } }
      }`,
      variables: (value) => ({ value, slug: world().own.links[0]?.slug, payer: world().own.people.MEMBER.address }),
      pairs: namePairs,
    },
    'Mutation.createPaymentOrder.input.payer': {
      query: `mutation ($value: Address, $slug: String!) {
        createPaymentOrder(input: { slug: $slug, payer: $value }) { checkoutOrder { status due { amount units } transactions { hash } } }
      }`,
      variables: (value) => ({ value, slug: world().own.links[0]?.slug }),
      pairs: addressPairs,
    },
    'Mutation.createPaymentOrder.input.idempotencyKey': {
      query: `mutation ($value: String, $slug: String!, $payer: Address) {
        createPaymentOrder(input: { slug: $slug, payer: $payer, idempotencyKey: $value }) { checkoutOrder { status } replayed }
      }`,
      variables: (value) => ({ value, slug: world().own.links[0]?.slug, payer: world().own.people.MEMBER.address }),
      pairs: keyPairs,
    },
  };
}
