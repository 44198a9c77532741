import { decodeGlobalId, encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Answer, checkNew, type Face, NEW_LINK, type Operation, type Pick, sortMemberships } from './face.ts';

const ACCEPTS = 'accepts { amount units payTo asset { symbol decimals } }';

const DOCUMENTS: Readonly<Record<Operation, string>> = {
  Q1: `query Links {
    organization {
      paymentLinks(first: 20) {
        pageInfo { hasNextPage }
        edges { node {
          id title status createdAt createdBy { displayName }
          orders(first: 5) { edges { node {
            id status dueUnits creditedUnits createdAt
            transactions { hash status units }
          } } }
        } }
      }
    }
  }`,
  Q2: `query Link($id: ID!) {
    node(id: $id) { ... on PaymentLink { id slug title status createdAt createdBy { displayName } ${ACCEPTS} } }
  }`,
  Q3: `query Self {
    viewer {
      user { id displayName wallets { address kind } }
      organization { id name slug }
      role
      memberships { role organization { id name slug } }
    }
  }`,
  M1: `mutation Make($input: CreatePaymentLinkInput!) {
    createPaymentLink(input: $input) { paymentLink { id slug title ${ACCEPTS} createdBy { displayName } } }
  }`,
};

/** How Tollhouse is asked, whatever lies below its schema. */
export const tollhouseFace: Face = {
  path: '/graphql',
  headers: ({ tenant }) => ({ authorization: `Bearer ${tenant.token}` }),
  body: (operation, pick) => ({ query: DOCUMENTS[operation], variables: variablesOf(operation, pick) }),
  read: (operation, data) => READERS[operation](data),
};

function variablesOf(operation: Operation, { tenant, linkId }: Pick): object {
  const { title, asset, amount } = NEW_LINK;
  if (operation === 'Q2') return { id: encodeGlobalId('PaymentLink', linkId) };
  if (operation === 'M1') return { input: { title, accepts: [{ asset, amount, payTo: tenant.address }] } };
  return {};
}

interface Link {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly status: string;
  readonly createdAt: string;
  readonly createdBy: { readonly displayName: string };
  readonly accepts: readonly { readonly units: string; readonly payTo: string; readonly asset: { symbol: string } }[];
  readonly orders: Edges<{
    readonly id: string;
    readonly status: string;
    readonly dueUnits: string;
    readonly creditedUnits: string;
    readonly createdAt: string;
    readonly transactions: readonly { hash: string; status: string; units: string }[];
  }>;
}

interface Edges<Node> {
  readonly edges: readonly { readonly node: Node }[];
}

interface Organization {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
}

const READERS: Readonly<Record<Operation, (data: never) => Answer>> = {
  Q1: (data: {
    organization: { paymentLinks: Edges<Link> & { readonly pageInfo: { readonly hasNextPage: boolean } } };
  }) => {
    const { pageInfo, edges } = data.organization.paymentLinks;
    return {
      hasNextPage: pageInfo.hasNextPage,
      links: edges.map(({ node: { id, title, status, createdAt, createdBy, orders } }) => ({
        id: uuidOf(id),
        title,
        status,
        createdAt: Date.parse(createdAt),
        createdBy: createdBy.displayName,
        orders: orders.edges.map(({ node }) => ({
          ...node,
          id: uuidOf(node.id),
          createdAt: Date.parse(node.createdAt),
        })),
      })),
    };
  },
  Q2: ({ node: { id, slug, title, status, createdAt, createdBy, accepts } }: { node: Link }) => ({
    id: uuidOf(id),
    slug,
    title,
    status,
    createdAt: Date.parse(createdAt),
    createdBy: createdBy.displayName,
    accepts: readAccepts(accepts),
  }),
  Q3: ({
    viewer: { user, organization, role, memberships },
  }: {
    viewer: {
      user: { id: string; displayName: string; wallets: { address: string; kind: string }[] };
      organization: Organization;
      role: string;
      memberships: { role: string; organization: Organization }[];
    };
  }) => ({
    userId: uuidOf(user.id),
    displayName: user.displayName,
    wallets: user.wallets.map(({ address, kind }) => ({ address: address.toLowerCase(), kind })),
    organization: readOrganization(organization),
    role,
    memberships: sortMemberships(
      memberships.map((membership) => ({ ...membership, organization: readOrganization(membership.organization) })),
    ),
  }),
  M1: ({ createPaymentLink: { paymentLink } }: { createPaymentLink: { paymentLink: Link } }) => {
    const { id, slug, title, accepts, createdBy } = paymentLink;
    checkNew({ id: uuidOf(id), slug });
    return { title, accepts: readAccepts(accepts), createdBy: createdBy.displayName };
  },
};

function readAccepts(accepts: Link['accepts']): { units: string; payTo: string; symbol: string }[] {
  return accepts.map(({ units, payTo, asset }) => ({ units, payTo: payTo.toLowerCase(), symbol: asset.symbol }));
}

function readOrganization({ id, name, slug }: Organization): Organization {
  return { id: uuidOf(id), name, slug };
}

function uuidOf(globalId: string): string {
  return decodeGlobalId(globalId)?.id ?? '';
}
