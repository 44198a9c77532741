import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

const TEXT = 'names nothing: a text for people';
const AMOUNT = 'names nothing: an amount';
const OWN = 'finds the organization’s own rows, whoever’s it is; test/payments/paymentFilters.test.ts';
const MOMENT = 'names nothing: a moment';

/** What the two that take the terms of a link have in common, and names nothing that is a row. */
const TERMS: Readonly<Record<string, string>> = {
  'accepts.amount': AMOUNT,
  'accepts.maxAmount': AMOUNT,
  'accepts.maxTotal': AMOUNT,
  'accepts.minAmount': AMOUNT,
  allowedPayers: 'names nothing: any wallet may be allowed, whoever’s it is; test/payments/linkTerms.test.ts',
  cancelUrl: 'names an origin, which is the organization’s own or is refused; test/payments/linkTerms.test.ts',
  'customFields.key': TEXT,
  'customFields.label': TEXT,
  'customFields.max': AMOUNT,
  'customFields.min': AMOUNT,
  'customFields.options': TEXT,
  expiresAt: MOMENT,
  inactiveMessage: TEXT,
  'lineItems.description': TEXT,
  'lineItems.prices.amount': AMOUNT,
  'lineItems.prices.asset': 'names one of the assets that the link accepts, and nothing besides',
  'lineItems.title': TEXT,
  metadata: TEXT,
  startsAt: MOMENT,
  successUrl: 'names an origin, which is the organization’s own or is refused; test/payments/linkTerms.test.ts',
};

/** The texts that change links and look for them, and what payers say, by where they go. */
export function linkProbes({
  idPairs,
  namePairs,
  addressPairs,
  askAsOther,
  world,
}: {
  readonly idPairs: () => Pair[];
  readonly namePairs: () => Pair[];
  readonly addressPairs: () => Pair[];
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  readonly world: () => { readonly own: Tenant; readonly theirs: Tenant; readonly coin: string };
}): Readonly<Record<string, Probe | string>> {
  const ownLink = (): string => encodeGlobalId('PaymentLink', world().own.links[0]?.id ?? '');
  const nowhere = encodeGlobalId('PaymentLink', newId());

  /** A key that the other tenant has used for this deed to a link of its own, beside one that nobody has. */
  const usedKey = async (deed: string, status: 'ACTIVE' | 'DRAFT', change = ''): Promise<Pair[]> => {
    const { coin, theirs } = world();
    const made = await askAsOther(
      `mutation { createPaymentLink(input: {
        title: "x", status: ${status}, accepts: [{ asset: "${coin}", amount: "1", payTo: "${theirs.people.OWNER.address}" }]
      }) { paymentLink { id } } }`,
      '',
    );
    const { id } = (made.data as { createPaymentLink: { paymentLink: { id: string } } }).createPaymentLink.paymentLink;
    const key = randomBytes(16).toString('hex');
    const { errors } = await askAsOther(
      `mutation ($key: String) { ${deed}(input: { paymentLinkId: "${id}", ${change} idempotencyKey: $key }) { replayed } }`,
      key,
    );
    if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
    return [[key, randomBytes(16).toString('hex')]];
  };

  const deeds = (['activate', 'pause', 'archive', 'delete'] as const).flatMap((deed): [string, Probe][] => {
    const field = `${deed}PaymentLink`;
    return [
      [
        `Mutation.${field}.input.paymentLinkId`,
        {
          query: `mutation ($value: ID!) { ${field}(input: { paymentLinkId: $value }) { replayed } }`,
          pairs: () => [...idPairs(), ...namePairs()],
        },
      ],
      [
        `Mutation.${field}.input.idempotencyKey`,
        {
          // a link that there is not: whether the key is known is looked for first
          query: `mutation ($value: String) {
            ${field}(input: { paymentLinkId: "${nowhere}", idempotencyKey: $value }) { replayed }
          }`,
          pairs: () => usedKey(field, deed === 'activate' ? 'DRAFT' : 'ACTIVE'),
        },
      ],
    ];
  });
  const list = (field: string, filter: string, type: string, pairs: () => Pair[]): [string, Probe] => [
    `Organization.${field}.filter.${filter}`,
    {
      query: `query ($value: ${type}) { organization { ${field}(filter: { ${filter}: $value }) { edges { node { id } } } } }`,
      pairs,
    },
  ];
  const ids = (): Pair[] => idPairs();
  return {
    ...Object.fromEntries(deeds),
    ...Object.fromEntries(
      Object.entries(TERMS).flatMap(([place, reason]) =>
        ['createPaymentLink', 'updatePaymentLink'].map((field) => [`Mutation.${field}.input.${place}`, reason]),
      ),
    ),
    'Mutation.createPaymentLink.input.slug':
      'that a slug is taken is what a unique name tells, and nothing else of whose',
    'Mutation.updatePaymentLink.input.title': TEXT,
    'Mutation.updatePaymentLink.input.description': TEXT,
    'Mutation.updatePaymentLink.input.paymentLinkId': {
      query: 'mutation ($value: ID!) { updatePaymentLink(input: { paymentLinkId: $value, title: "x" }) { replayed } }',
      pairs: () => [...idPairs(), ...namePairs()],
    },
    'Mutation.updatePaymentLink.input.idempotencyKey': {
      query: `mutation ($value: String, $id: ID!) {
        updatePaymentLink(input: { paymentLinkId: $id, title: "x", idempotencyKey: $value }) { replayed }
      }`,
      variables: (value) => ({ value, id: ownLink() }),
      pairs: () => usedKey('updatePaymentLink', 'ACTIVE', 'title: "x",'),
    },
    'Mutation.updatePaymentLink.input.accepts.asset': {
      query: `mutation ($value: String!, $id: ID!, $payTo: Address!) { updatePaymentLink(input: {
        paymentLinkId: $id, accepts: [{ asset: $value, amount: "1", payTo: $payTo }]
      }) { replayed } }`,
      variables: (value) => ({ value, id: ownLink(), payTo: world().own.people.OWNER.address }),
      pairs: namePairs,
    },
    'Mutation.updatePaymentLink.input.accepts.payTo': {
      query: `mutation ($value: Address!, $id: ID!, $asset: String!) { updatePaymentLink(input: {
        paymentLinkId: $id, accepts: [{ asset: $asset, amount: "1", payTo: $value }]
      }) { replayed } }`,
      variables: (value) => ({ value, id: ownLink(), asset: world().coin }),
      pairs: addressPairs,
    },
    'Mutation.updateOrganizationSettings.input.redirectOrigins': 'names nothing: any origin may be allowed',
    'Mutation.createPaymentOrder.input.amount': AMOUNT,
    'Mutation.createPaymentOrder.input.fields': TEXT,
    ...Object.fromEntries([
      list('paymentLinks', 'asset', 'String', namePairs),
      list('paymentLinks', 'createdBy', 'ID', ids),
      list('paymentLinks', 'text', 'String', namePairs),
      list('paymentOrders', 'asset', 'String', namePairs),
      list('paymentOrders', 'paymentLink', 'ID', ids),
      list('blockchainTransactions', 'asset', 'String', namePairs),
      list('blockchainTransactions', 'paymentOrder', 'ID', ids),
      list('unmatchedPayments', 'asset', 'String', namePairs),
      list('paymentRefunds', 'asset', 'String', namePairs),
      list('providerTransactions', 'provider', 'String', namePairs),
      list('providerTransactions', 'reference', 'String', namePairs),
    ]),
    ...Object.fromEntries(
      [
        'paymentOrders.filter.payTo',
        'paymentOrders.filter.reference',
        'blockchainTransactions.filter.hash',
        'blockchainTransactions.filter.sender',
        'blockchainTransactions.filter.recipient',
        'unmatchedPayments.filter.sender',
        'unmatchedPayments.filter.transactionHash',
        'paymentRefunds.filter.destination',
      ].map((place) => [`Organization.${place}`, OWN]),
    ),
    ...Object.fromEntries(
      ['blockchainTransactions', 'unmatchedPayments', 'paymentRefunds', 'providerTransactions'].flatMap((field) =>
        ['createdFrom', 'createdUntil'].map((place) => [`Organization.${field}.filter.${place}`, MOMENT]),
      ),
    ),
    'Organization.paymentOrders.filter.payer':
      'finds the organization’s own orders, whoever’s wallet it is; test/payments/linkLists.test.ts',
    'Organization.paymentLinks.filter.createdFrom': MOMENT,
    'Organization.paymentLinks.filter.createdUntil': MOMENT,
    'Organization.paymentOrders.filter.createdFrom': MOMENT,
    'Organization.paymentOrders.filter.createdUntil': MOMENT,
    'Organization.paymentOrders.filter.maxUnits': AMOUNT,
    'Organization.paymentOrders.filter.minUnits': AMOUNT,
  };
}
