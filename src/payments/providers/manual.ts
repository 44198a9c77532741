import type { PaymentProvider } from '../../ports.ts';

/** A member of the merchant's who says that money came outside of every chain: in cash, by a bank, by cheque. */
export const manual: PaymentProvider = { name: 'manual', standsOn: 'MEMBER' };
