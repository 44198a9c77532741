import type { Link } from './api.ts';

/** What stands for a link that is not there any more, for whoever has a payment of it: the payment still is. */
export const GONE: Link = {
  slug: '',
  title: 'Your payment',
  description: null,
  organizationName: 'The merchant',
  effectiveStatus: 'ARCHIVED',
  message: null,
  pricing: 'FIXED',
  startsAt: null,
  orderLifetimeMinutes: 0,
  successUrl: null,
  cancelUrl: null,
  theme: { accent: null, background: null, font: null, logo: null },
  accepts: [],
  lineItems: [],
  fields: [],
};
