import type { PaymentProvider } from '../../ports.ts';

/** The chains themselves: the watcher reads what they say, and the database records it beside the credit or the refund. */
export const onchain: PaymentProvider = { name: 'onchain', standsOn: 'CHAIN' };
