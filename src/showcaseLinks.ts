import type { Context } from './context.ts';
import type { Deed, Transaction } from './database/scope.ts';
import { acceptsFor, accountOf, orderOf } from './demo.ts';
import { createPaymentLink, type PaymentLinkInput } from './payments/commands/createPaymentLink.ts';
import { movePaymentLink } from './payments/commands/movePaymentLink.ts';

interface SeededLink {
  readonly id: string;
  readonly slug: string;
}

/** A link that is somehow special, in the test token alone. */
interface SpecialLink {
  readonly terms: Omit<PaymentLinkInput<SeededLink>, 'accepts' | 'read'>;
  /** What is asked for beside the asset and the payee. */
  readonly price: { readonly amount: string | null; readonly minAmount?: string; readonly maxAmount?: string };
  /** What one of each line item costs, in their order. */
  readonly prices?: readonly string[];
  readonly paused?: true;
  readonly ordered?: true;
}

const A_MONTH = 43_200;

/** A draft, one that is paused, one whose payers choose the price, one of line items, and one that is used up. */
const SPECIAL: readonly SpecialLink[] = [
  {
    terms: { title: 'Summer menu', description: 'Cold brew by the bottle; nobody sees it yet.', status: 'DRAFT' },
    price: { amount: '7' },
  },
  {
    terms: { title: 'Winter blend', inactiveMessage: 'The winter blend is back in November.' },
    price: { amount: '16' },
    paused: true,
  },
  {
    terms: {
      title: 'Support the roastery',
      description: 'Whatever it is worth to you.',
      pricing: 'OPEN',
      customFields: [{ key: 'name', label: 'Your name, for the wall', type: 'TEXT', maxLength: 60 }],
    },
    price: { amount: null, minAmount: '1', maxAmount: '500' },
  },
  {
    terms: {
      title: 'Office box',
      description: 'A month of coffee for ten.',
      pricing: 'LINE_ITEMS',
      customFields: [
        { key: 'email', label: 'E-mail for the invoice', type: 'EMAIL', required: true },
        { key: 'grind', label: 'Grind', type: 'SELECT', required: true, options: ['Beans', 'Filter', 'Espresso'] },
      ],
    },
    price: { amount: null },
    prices: ['19', '4.5', '6'],
  },
  {
    terms: { title: 'The last bag', description: 'There is only one.', maxUses: 1, orderLifetimeMinutes: A_MONTH },
    price: { amount: '25' },
    ordered: true,
  },
];

const LINE_ITEMS = [
  { title: 'House blend, 1 kg', quantity: 3 },
  { title: 'Filters, a hundred', quantity: 2 },
  { title: 'Delivery', quantity: 1 },
];

const read = (tx: Pick<Transaction, 'paymentLink'>, id: string): Deed<SeededLink> =>
  tx.paymentLink.findFirstOrThrow({ where: { id }, select: { id: true, slug: true } });

/** Makes what is missing of the links that show what a link can be; none where the test token is not taken. */
export async function seedSpecialLinks(context: Context, owner: 'Alice' | 'Bob'): Promise<void> {
  const organizationId = context.viewer?.organizationId ?? '';
  const [way] = await acceptsFor(context, { TUSD: '1' }, accountOf(owner));
  if (!way) return;
  for (const { terms, price, prices, paused, ordered } of SPECIAL) {
    const { title } = terms;
    if ((await context.scope.db.paymentLink.count({ where: { organizationId, title } })) > 0) continue;
    const lineItems = prices?.map((amount, index) => ({
      ...(LINE_ITEMS[index] ?? { title: '', quantity: 1 }),
      prices: [{ asset: way.asset, amount }],
    }));
    const { link } = await createPaymentLink(context, {
      ...terms,
      ...(lineItems && { lineItems }),
      accepts: [{ ...way, ...price }],
      read,
    });
    if (paused) await movePaymentLink(context, { id: link.id, deed: 'pause', idempotencyKey: null, read });
    if (ordered) await orderOf(context, { slug: link.slug, symbol: 'TUSD' });
  }
}
