import type { PaymentProvider } from '../../ports.ts';
import { manual } from './manual.ts';
import { onchain } from './onchain.ts';

/** All that carry money. */
export const PROVIDERS: readonly PaymentProvider[] = [onchain, manual];
