import { builder } from '../../graphql/builder.ts';
import { fromUnits } from '../../kernel/money.ts';
import type { CustomField } from '../model/customFields.ts';

// What a merchant and a payer see of a link's terms alike.

/** How a link says what is to be paid. */
export const PaymentPricing = builder.enumType('PaymentPricing', {
  description: 'How a link says what is to be paid.',
  values: {
    FIXED: { description: 'An amount in each asset.' },
    OPEN: { description: 'The payer chooses, between a least and a most in each asset.' },
    LINE_ITEMS: { description: 'The sum of what is bought, in each asset.' },
  } as const,
});

/** What a link is at this moment. */
export const PaymentLinkState = builder.enumType('PaymentLinkState', {
  description: 'What a link is at this moment.',
  values: {
    DRAFT: { description: 'Not yet published; payers do not find it.' },
    ACTIVE: { description: 'Takes payments.' },
    PAUSED: { description: 'Takes none for now.' },
    ARCHIVED: { description: 'Takes none any more.' },
    SCHEDULED: { description: 'Active, and its time is still to come.' },
    EXPIRED: { description: 'Active, and its time is over.' },
    CHAIN_NOT_WATCHED: {
      description: 'Active, and nobody watches any of the chains that it can be paid on any more.',
    },
    PAYEE_NOT_PROVED: { description: 'Active, and nobody of the merchant’s stands for any of its payees any more.' },
    EXHAUSTED: { description: 'Active, and its limits leave nothing, unless somebody gives up.' },
  } as const,
});

/** What the chain must say before an order is paid. */
export const PaymentFinality = builder.enumType('PaymentFinality', {
  description: 'What the chain must say before an order is paid.',
  values: {
    CONFIRMATIONS: { description: 'That so many blocks hold it, its own included.' },
    SAFE: { description: 'That its block is safe.' },
    FINALIZED: { description: 'That its block is final.' },
  } as const,
});

/** What a payer can be asked for. */
export const PaymentFieldType = builder.enumType('PaymentFieldType', {
  description: 'What a payer can be asked for.',
  values: {
    TEXT: { description: 'A text.' },
    EMAIL: { description: 'An e-mail address; nobody has proved it.' },
    NUMBER: { description: 'A decimal number, as a text.' },
    BOOLEAN: { description: 'Yes or no; where it is required, yes.' },
    SELECT: { description: 'One of the options.' },
  } as const,
});

/** One thing that a payer is asked for. */
export const PaymentFieldRef = builder.objectRef<CustomField>('PaymentField').implement({
  description: 'One thing that a payer is asked for.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name in `fields` and `fieldValues`.' }),
    label: t.exposeString('label', { description: 'What it is called in front of payers.' }),
    type: t.expose('type', { type: PaymentFieldType, description: 'What is asked for.' }),
    required: t.exposeBoolean('required', { description: 'Whether nobody pays without it.' }),
    options: t.stringList({
      description: 'What to choose from; of `SELECT` alone.',
      resolve: ({ options }) => [...(options ?? [])],
    }),
    maxLength: t.int({
      nullable: true,
      description: 'The longest text, where it is limited.',
      resolve: ({ maxLength }) => maxLength ?? null,
    }),
    min: t.field({
      type: 'String',
      nullable: true,
      description: 'The least number, where there is one.',
      resolve: ({ min }) => min ?? null,
    }),
    max: t.field({
      type: 'String',
      nullable: true,
      description: 'The greatest number, where there is one.',
      resolve: ({ max }) => max ?? null,
    }),
  }),
});

interface Price {
  readonly caip19: string;
  readonly decimals: number;
  readonly units: bigint;
}

const PriceRef = builder.objectRef<Price>('PaymentPrice').implement({
  description: 'What something costs in one asset.',
  fields: (t) => ({
    asset: t.exposeString('caip19', { description: 'The asset’s CAIP-19 name.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens, exactly.',
      resolve: ({ units, decimals }) => fromUnits(units, decimals),
    }),
    units: t.expose('units', { type: 'BigInt', description: 'How much, in the asset’s smallest units.' }),
  }),
});

/** One thing that is bought, as a link or an order shows it. */
export interface ShownLineItem {
  readonly title: string;
  readonly description: string | null;
  readonly quantity: number;
  readonly prices: readonly Price[];
}

/** One thing that is bought. */
export const LineItemRef = builder.objectRef<ShownLineItem>('PaymentLineItem').implement({
  description: 'One thing that is bought.',
  fields: (t) => ({
    title: t.exposeString('title', { description: 'What it is.' }),
    description: t.exposeString('description', { nullable: true, description: 'More about it.' }),
    quantity: t.exposeInt('quantity', { description: 'How many of it.' }),
    prices: t.field({
      type: [PriceRef],
      description: 'What one of it costs in each asset; of an order in the asset that it is paid in.',
      resolve: ({ prices }) => prices,
    }),
  }),
});
