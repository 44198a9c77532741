import type { Scope } from '../../database/scope.ts';

/** What a payer asks about an order that does not stand in its row. */
export interface CheckoutFacts {
  /** The slug of the order's link. */
  readonly slug: string;
  /** Where the order's link sends payers on to. */
  readonly successUrl: string | null;
  readonly cancelUrl: string | null;
  /** Whether somebody watches its chain, so that a payment would be seen. */
  readonly chainWatched: boolean;
  /** Whether that is so, and its time, and its late window where that counts, is not over by the database's clock. */
  readonly takesPayments: boolean;
  /** Of the youngest of the transfers that are credited to it; null when there is none. */
  readonly confirmations: number | null;
}

/** Reads it of the one order of the scene; null when there is none. */
export function readCheckoutFacts({ ask }: Pick<Scope, 'ask'>): Promise<CheckoutFacts | null> {
  return ask<CheckoutFacts>(`
    /* checkoutFacts */
    select json_build_object(
      'slug', slug,
      'successUrl', success_url,
      'cancelUrl', cancel_url,
      'chainWatched', chain_watched,
      'takesPayments', takes_payments,
      'confirmations', confirmations
    )::text
    from checkout_facts()`);
}
