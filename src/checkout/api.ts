import { graphql, type ResultOf } from '../client/graphql.ts';

// What the page asks. Everything of it is a payer's: by the slug of a link, or the token of an order.

const OrderFields = graphql(`
  fragment OrderFields on CheckoutOrder {
    token
    slug
    status
    exceptions
    matching
    payer
    payTo
    receivedUnits
    expiresAt
    chainWatched
    due { amount units asset { caip19 symbol name decimals address } }
    lineItems { title description quantity prices { asset amount } }
    paymentRequest { chainId to value data eip681 qr }
    transactions { hash status }
    refunds { id status amount destination asset { symbol } }
  }
`);

export const ReadCheckout = graphql(`
  query ReadCheckout($slug: String!) {
    checkout(slug: $slug) {
      slug
      title
      description
      organizationName
      effectiveStatus
      message
      pricing
      startsAt
      orderLifetimeMinutes
      successUrl
      cancelUrl
      theme { accent background font logo }
      accepts { exhausted payeeProved chainWatched amount minAmount maxAmount asset { caip19 symbol name decimals address } }
      lineItems { title description quantity prices { asset amount } }
      fields { key label type required options maxLength min max }
    }
    chains { chainId name testnet publicRpcUrl explorerUrl assets { symbol name decimals address } }
  }
`);

export const ReadOrder = graphql(
  `
    query ReadOrder($token: String!) { checkoutOrder(token: $token) { ...OrderFields } }
  `,
  [OrderFields],
);

export const FollowOrder = graphql(
  `
    subscription FollowOrder($token: String!) { checkoutOrderChanged(token: $token) { ...OrderFields } }
  `,
  [OrderFields],
);

export const BeginOrder = graphql(
  `
    mutation BeginOrder($input: CreatePaymentOrderInput!) {
      createPaymentOrder(input: $input) { checkoutOrder { ...OrderFields } }
    }
  `,
  [OrderFields],
);

export const CancelOrder = graphql(`
  mutation CancelOrder($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }
`);

export const ReadClaimText = graphql(`
  query ReadClaimText($token: String!, $hash: Hex!) {
    checkoutOrder(token: $token) { claimMessage(transactionHash: $hash) }
  }
`);

export const ClaimPayment = graphql(
  `
    mutation ClaimPayment($input: ClaimPaymentInput!) {
      claimPayment(input: $input) { checkoutOrder { ...OrderFields } }
    }
  `,
  [OrderFields],
);

export const ReadRefundText = graphql(`
  query ReadRefundText($token: String!, $destination: Address!) {
    checkoutOrder(token: $token) { refunds { id message(destination: $destination) } }
  }
`);

export const ConfirmRefund = graphql(
  `
    mutation ConfirmRefund($input: ConfirmRefundDestinationInput!) {
      confirmRefundDestination(input: $input) { checkoutOrder { ...OrderFields } }
    }
  `,
  [OrderFields],
);

/** A link as its payer sees it. */
export type Link = NonNullable<ResultOf<typeof ReadCheckout>['checkout']>;

/** A chain that payments are taken on. */
export type Chain = ResultOf<typeof ReadCheckout>['chains'][number];

/** One way to pay a link. */
export type Accept = Link['accepts'][number];

/** One thing that the payer is asked for. */
export type Field = Link['fields'][number];

/** One attempt to pay. */
export type Order = ResultOf<typeof OrderFields>;

/** Something of an order that goes back to its payer. */
export type Refund = Order['refunds'][number];

export type LineItem = Link['lineItems'][number];
export type LinkState = Link['effectiveStatus'];
export type OrderStatus = Order['status'];
export type OrderException = Order['exceptions'][number];
export type RefundStatus = Refund['status'];
export type Matching = Order['matching'];
