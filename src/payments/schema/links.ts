import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { showUnits } from '../../kernel/money.ts';
import { PaymentOrderConnection, PaymentOrderRef } from './orders.ts';

/** Whether a link takes payments. */
export const PaymentLinkStatus = builder.enumType('PaymentLinkStatus', {
  description: 'Whether a link takes payments.',
  values: {
    DRAFT: { description: 'Not yet published.' },
    ACTIVE: { description: 'Takes payments.' },
    PAUSED: { description: 'Takes none for now.' },
    ARCHIVED: { description: 'Takes none any more.' },
  } as const,
});

/** One way to pay a link, for merchants and payers alike. */
export const PaymentLinkAcceptRef = builder.prismaObject('PaymentLinkAccept', {
  description: 'One way to pay a link.',
  select: { id: true },
  fields: (t) => ({
    asset: t.relation('asset', { description: 'What to pay in.' }),
    amount: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'How much, in whole tokens, exactly; null where the payer chooses.',
      select: { units: true, asset: { select: { decimals: true } } },
      resolve: ({ units, asset }) => units && showUnits(units, asset),
    }),
    units: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'How much, in the asset’s smallest units; null where the payer chooses.',
      select: { units: true },
      resolve: ({ units }) => units,
    }),
    payTo: t.expose('payTo', { type: 'Address', description: 'Who receives it.' }),
  }),
});

/** A link, as the merchant sees it. */
export const PaymentLinkRef = builder.prismaNode('PaymentLink', {
  nullable: true,
  description: 'A template that many payers may use, as the merchant sees it.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'Its name in addresses; hard to guess, unless somebody chose it.' }),
    url: t.string({
      description: 'The address to give to payers.',
      select: { slug: true },
      resolve: ({ slug }, _args, { publicUrl }) => `${publicUrl}/pay/${slug}`,
    }),
    title: t.exposeString('title', { description: 'What it is for.' }),
    description: t.exposeString('description', { nullable: true, description: 'More about what it is for.' }),
    status: t.expose('status', { type: PaymentLinkStatus, description: 'What the merchant has made of it.' }),
    orderLifetimeMinutes: t.exposeInt('orderLifetimeMinutes', {
      description: 'How long an order made from it can be paid, in minutes.',
    }),
    accepts: t.relation('accepts', {
      description: 'The ways to pay it.',
      query: { orderBy: { position: 'asc' } },
    }),
    createdBy: t.field({
      type: UserRef,
      nullable: true,
      description:
        'The member who made it, or who answers for the API key that did; null for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        creator: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      // a key may read links and no members
      resolve: ({ creator }) => (creator as typeof creator | null) && survivorOf(creator.user),
    }),
    orders: t.connection(
      {
        type: PaymentOrderRef,
        description: 'The attempts to pay it, the newest first.',
        select: (args, _context, nestedSelection) => ({
          orders: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
        }),
        resolve: ({ orders }, args) => pageOf(orders as never, args) as never,
      },
      PaymentOrderConnection,
    ),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});
