/** An operation that stands ready in a tab. */
export interface Example {
  readonly query: string;
  readonly variables?: string;
}

const WHO_AM_I = `# Who am I, and what can be paid in?
# Sign in above, and ask again.
query WhoAmI {
  viewer {
    user { displayName wallets { address kind } }
    organization { name slug }
    role
  }
  chains {
    name
    chainId
    assets { symbol caip19 decimals }
  }
}
`;

const PAYMENT_LINKS = `# The links of one's own organization.
query PaymentLinks {
  organization {
    name
    paymentLinks(first: 10) {
      edges {
        node {
          title
          url
          effectiveStatus
          accepts {
            amount
            asset { symbol }
          }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`;

const CREATE_PAYMENT_LINK = `# A link that is paid at its url, in a browser.
# payTo must be a wallet of your own: it is, once you have signed in above.
mutation CreatePaymentLink($input: CreatePaymentLinkInput!) {
  createPaymentLink(input: $input) {
    paymentLink {
      id
      title
      url
      accepts {
        amount
        payTo
        asset { symbol }
      }
    }
    replayed
  }
}
`;

const PAYMENT_ORDERS = `# Who has begun to pay, and how far it is.
query PaymentOrders {
  organization {
    paymentOrders(first: 10) {
      edges {
        node {
          status
          dueUnits
          creditedUnits
          asset { symbol decimals }
          paymentLink { title }
          expiresAt
        }
      }
    }
  }
}
`;

const EVENTS = `# All that has happened, fact by fact.
query Events {
  organization {
    events(first: 20) {
      edges {
        node { type recordedAt actor data }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`;

const FOLLOW_EVENTS = `# The same as it happens, until you stop it.
# Change something in another window.
subscription FollowEvents {
  events {
    cursor
    node { type recordedAt actor data }
  }
}
`;

/** What the new link asks for, by its CAIP-19 name, and who receives it. */
export interface Terms {
  readonly asset: string;
  readonly payTo: string;
}

/** The variables of the new link. */
export function linkVariables({ asset, payTo }: Terms): string {
  const input = { title: 'An espresso', accepts: [{ asset, amount: '0.001', payTo }] };
  return JSON.stringify({ input }, null, 2);
}

/** The operations that a newcomer finds in the tabs. */
export function exampleTabs(terms: Terms): readonly Example[] {
  return [
    { query: WHO_AM_I },
    { query: PAYMENT_LINKS },
    { query: CREATE_PAYMENT_LINK, variables: linkVariables(terms) },
    { query: PAYMENT_ORDERS },
    { query: EVENTS },
    { query: FOLLOW_EVENTS },
  ];
}
