import type { Page } from 'playwright-core';
import { type Counter, PAY, press } from './counter.ts';

/** The payer’s handle, where the tab keeps it. */
export async function tokenOf(page: Page): Promise<string> {
  const kept = await page.evaluate(() =>
    Object.values((globalThis as unknown as { sessionStorage: Record<string, string> }).sessionStorage),
  );
  return (JSON.parse(kept[0] ?? '{}') as { token: string }).token;
}

/** Begins to pay, and refuses to send: an order that nothing was sent for. */
export async function beginRefused({ wallet, visitor }: Counter, path: string): Promise<Page> {
  wallet.refused.add('eth_sendTransaction');
  const page = await visitor.open(path);
  await press(page, PAY);
  await page
    .getByRole('alert')
    .getByText(/^You have refused/)
    .waitFor();
  wallet.refused.clear();
  return page;
}

/** The merchant calls off the youngest order of a link. */
export async function closePayment({ shop }: Counter, linkId: string): Promise<void> {
  const order = (await shop.ordersOf(linkId)).at(-1);
  await shop.ask(`mutation ($input: CancelPaymentOrderInput!) { cancelPaymentOrder(input: $input) { replayed } }`, {
    input: { id: order?.id },
  });
}
