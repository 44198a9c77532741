import { graphql, type ResultOf } from 'tollhouse/client';

/** What can be paid with. */
export const Chains = graphql(`
  query Chains {
    chains {
      chainId name publicRpcUrl
      assets { caip19 symbol name decimals address }
    }
  }
`);

export type Chain = ResultOf<typeof Chains>['chains'][number];

/** Where the session works, what it may do there, and where else it could go. */
export const Overview = graphql(`
  query Overview {
    viewer {
      role
      permissions
      memberships { organization { id name } }
      organization {
        id
        name
        memberships(first: 100, filter: { status: ACTIVE }) { edges { cursor } pageInfo { hasNextPage } }
      }
    }
  }
`);

export const CreatePaymentLink = graphql(`
  mutation CreatePaymentLink($input: CreatePaymentLinkInput!) {
    createPaymentLink(input: $input) { paymentLink { title url } }
  }
`);

export const PaymentLinks = graphql(`
  query PaymentLinks {
    organization {
      paymentLinks(first: 10) {
        edges { node { id title url effectiveStatus accepts { amount asset { symbol } } } }
      }
    }
  }
`);

const OrderFields = graphql(`
  fragment OrderFields on PaymentOrder {
    id status dueUnits creditedUnits createdAt payer
    asset { symbol decimals }
    paymentLink { title }
  }
`);

export type Order = ResultOf<typeof OrderFields>;

export const PaymentOrders = graphql(
  `
    query PaymentOrders {
      organization { paymentOrders(first: 20) { edges { node { ...OrderFields } } } }
    }
  `,
  [OrderFields],
);

/** Without an id: every order of the organization, whenever something happens to it. */
export const PaymentOrderChanged = graphql(
  `
    subscription PaymentOrderChanged { paymentOrderChanged { ...OrderFields } }
  `,
  [OrderFields],
);
