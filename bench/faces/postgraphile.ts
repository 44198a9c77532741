import { type Answer, checkNew, type Face, NEW_LINK, type Operation, type Pick, sortMemberships } from './face.ts';

const CREATED_BY = 'membershipByOrganizationIdAndCreatedById { userByUserId { displayName } }';
const ACCEPTS = `paymentLinkAcceptsByOrganizationIdAndPaymentLinkId(orderBy: [POSITION_ASC]) {
  nodes { units payTo assetByAssetId { symbol decimals } }
}`;
const ORGANIZATION = 'organizationByOrganizationId { rowId name slug }';

const DOCUMENTS: Readonly<Record<Operation, string>> = {
  Q1: `query Links {
    allPaymentLinks(first: 20, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {
      pageInfo { hasNextPage }
      nodes {
        rowId title status createdAt ${CREATED_BY}
        paymentOrdersByOrganizationIdAndPaymentLinkId(first: 5, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {
          nodes {
            rowId status dueUnits creditedUnits createdAt
            paymentCreditsByOrganizationIdAndPaymentOrderId {
              nodes { blockchainTransactionByOrganizationIdAndBlockchainTransactionId { hash status units } }
            }
          }
        }
      }
    }
  }`,
  Q2: `query Link($organizationId: UUID!, $id: UUID!) {
    paymentLinkByOrganizationIdAndRowId(organizationId: $organizationId, rowId: $id) {
      rowId slug title status createdAt ${CREATED_BY} ${ACCEPTS}
    }
  }`,
  Q3: `query Self($organizationId: UUID!, $userId: UUID!) {
    membershipByOrganizationIdAndUserId(organizationId: $organizationId, userId: $userId) {
      role
      ${ORGANIZATION}
      userByUserId {
        rowId displayName
        identitiesByUserId { nodes { address walletKind } }
        membershipsByUserId { nodes { role ${ORGANIZATION} } }
      }
    }
  }`,
  M1: `mutation Make($input: BenchCreatePaymentLinkInput!) {
    benchCreatePaymentLink(input: $input) { result { rowId slug title ${ACCEPTS} ${CREATED_BY} } }
  }`,
};

/** How PostGraphile is asked, with the names that it makes of our tables. */
export const postgraphileFace: Face = {
  path: '/graphql',
  headers: ({ tenant: { organizationId, userId, sessionId, permissions } }) => ({
    'x-settings': JSON.stringify({
      role: 'tollhouse_member',
      'app.organization_id': organizationId,
      'app.user_id': userId,
      'app.person_id': userId,
      'app.session_id': sessionId,
      'app.permissions': permissions,
      'app.request_id': 'bench',
    }),
  }),
  body: (operation, pick) => ({ query: DOCUMENTS[operation], variables: variablesOf(operation, pick) }),
  read: (operation, data) => READERS[operation](data),
};

function variablesOf(operation: Operation, { tenant, linkId }: Pick): object {
  const { organizationId, userId, address } = tenant;
  if (operation === 'Q2') return { organizationId, id: linkId };
  if (operation === 'Q3') return { organizationId, userId };
  if (operation === 'M1') return { input: { ...NEW_LINK, payTo: address } };
  return {};
}

interface Nodes<Node> {
  readonly nodes: readonly Node[];
}

interface Link {
  readonly rowId: string;
  readonly slug: string;
  readonly title: string;
  readonly status: string;
  readonly createdAt: string;
  readonly membershipByOrganizationIdAndCreatedById: { readonly userByUserId: { readonly displayName: string } };
  readonly paymentLinkAcceptsByOrganizationIdAndPaymentLinkId: Nodes<{
    readonly units: string;
    readonly payTo: string;
    readonly assetByAssetId: { readonly symbol: string };
  }>;
  readonly paymentOrdersByOrganizationIdAndPaymentLinkId: Nodes<Order>;
}

interface Order {
  readonly rowId: string;
  readonly status: string;
  readonly dueUnits: string;
  readonly creditedUnits: string;
  readonly createdAt: string;
  readonly paymentCreditsByOrganizationIdAndPaymentOrderId: Nodes<{
    readonly blockchainTransactionByOrganizationIdAndBlockchainTransactionId: {
      hash: string;
      status: string;
      units: string;
    };
  }>;
}

interface Membership {
  readonly role: string;
  readonly organizationByOrganizationId: { readonly rowId: string; readonly name: string; readonly slug: string };
}

const READERS: Readonly<Record<Operation, (data: never) => Answer>> = {
  Q1: ({ allPaymentLinks }: { allPaymentLinks: Nodes<Link> & { readonly pageInfo: { hasNextPage: boolean } } }) => ({
    hasNextPage: allPaymentLinks.pageInfo.hasNextPage,
    links: allPaymentLinks.nodes.map((link) => ({
      id: link.rowId,
      title: link.title,
      status: link.status,
      createdAt: Date.parse(link.createdAt),
      createdBy: creatorOf(link),
      orders: link.paymentOrdersByOrganizationIdAndPaymentLinkId.nodes.map(readOrder),
    })),
  }),
  Q2: ({ paymentLinkByOrganizationIdAndRowId: link }: { paymentLinkByOrganizationIdAndRowId: Link }) => ({
    id: link.rowId,
    slug: link.slug,
    title: link.title,
    status: link.status,
    createdAt: Date.parse(link.createdAt),
    createdBy: creatorOf(link),
    accepts: acceptsOf(link),
  }),
  Q3: ({
    membershipByOrganizationIdAndUserId: self,
  }: {
    membershipByOrganizationIdAndUserId: Membership & {
      readonly userByUserId: {
        readonly rowId: string;
        readonly displayName: string;
        readonly identitiesByUserId: Nodes<{ readonly address: string; readonly walletKind: string }>;
        readonly membershipsByUserId: Nodes<Membership>;
      };
    };
  }) => {
    const { rowId, displayName, identitiesByUserId, membershipsByUserId } = self.userByUserId;
    return {
      userId: rowId,
      displayName,
      wallets: identitiesByUserId.nodes.map(({ address, walletKind }) => ({ address, kind: walletKind })),
      ...readMembership(self),
      memberships: sortMemberships(membershipsByUserId.nodes.map(readMembership)),
    };
  },
  M1: ({ benchCreatePaymentLink: { result } }: { benchCreatePaymentLink: { result: Link } }) => {
    checkNew({ id: result.rowId, slug: result.slug });
    return { title: result.title, accepts: acceptsOf(result), createdBy: creatorOf(result) };
  },
};

function readOrder(
  order: Order,
): { id: string; createdAt: number; transactions: Transaction[] } & Omit<
  Order,
  'rowId' | 'createdAt' | 'paymentCreditsByOrganizationIdAndPaymentOrderId'
> {
  const { rowId, createdAt, paymentCreditsByOrganizationIdAndPaymentOrderId: credits, ...rest } = order;
  return {
    ...rest,
    id: rowId,
    createdAt: Date.parse(createdAt),
    transactions: credits.nodes.map((credit) => credit.blockchainTransactionByOrganizationIdAndBlockchainTransactionId),
  };
}

type Transaction = { hash: string; status: string; units: string };

function creatorOf(link: Link): string {
  return link.membershipByOrganizationIdAndCreatedById.userByUserId.displayName;
}

function acceptsOf(link: Link): { units: string; payTo: string; symbol: string }[] {
  return link.paymentLinkAcceptsByOrganizationIdAndPaymentLinkId.nodes.map(({ units, payTo, assetByAssetId }) => ({
    units,
    payTo,
    symbol: assetByAssetId.symbol,
  }));
}

function readMembership({ role, organizationByOrganizationId: { rowId, name, slug } }: Membership): {
  role: string;
  organization: { id: string; name: string; slug: string };
} {
  return { role, organization: { id: rowId, name, slug } };
}
