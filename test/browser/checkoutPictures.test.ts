import { describe, expect, it } from 'vitest';
import { openVisitor } from './support/browser.ts';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { keepPicture } from './support/pictures.ts';
import { TUSD } from './support/shop.ts';
import { installWallet } from './support/wallet.ts';

const counter = openCounter();

const LOGO = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="2" fill="#0b6e4f"/>' +
    '<circle cx="4" cy="4" r="2" fill="#fff"/></svg>',
)}`;

const set = (field: string, input: object): Promise<unknown> =>
  counter.shop.ask(`mutation ($input: Update${field}Input!) { update${field}(input: $input) { replayed } }`, { input });

describe.each(['light', 'dark'] as const)('the page that the README shows, in %s', (colorScheme) => {
  it('is a merchant’s own, from the offer to the receipt', async () => {
    await set('Organization', { name: 'Aurora Coffee' });
    await set('StoreConfiguration', { theme: { accent: '#0b6e4f', font: 'rounded', logo: LOGO } });
    const { path } = await counter.shop.makeLink({
      title: 'Two bags of coffee',
      description: 'Roasted on Tuesday, sent on Wednesday.',
      pricing: 'LINE_ITEMS',
      accepts: [{ asset: TUSD }],
      lineItems: [
        { title: 'Espresso, 500 g', quantity: 2, prices: [{ asset: TUSD, amount: '14.5' }] },
        { title: 'Postage', quantity: 1, prices: [{ asset: TUSD, amount: '4.9' }] },
      ],
    });
    const visitor = await openVisitor(counter.browser, counter.shop.origin, {
      colorScheme,
      viewport: { width: 560, height: 590 },
      deviceScaleFactor: 2,
      reducedMotion: 'reduce',
    });
    const { account } = counter.wallet;
    await installWallet(visitor.context, { account, chains: [{ chainId: 31_337, rpcUrl: counter.shop.chain.rpcUrl }] });
    try {
      const page = await visitor.open(path);
      await page.getByRole('button', { name: PAY }).waitFor();
      // the merchant's picture and the wallet's
      const drawn = (): Promise<boolean[]> =>
        page
          .locator('header img, button img')
          .evaluateAll((images) =>
            (images as unknown as { complete: boolean; naturalWidth: number }[]).map(
              ({ complete, naturalWidth }) => complete && naturalWidth > 0,
            ),
          );
      await expect.poll(drawn).toEqual([true, true]);
      await keepPicture(page, `checkout-offer-${colorScheme}`);
      await press(page, PAY);
      await says(page, 'Your payment was seen');
      await confirm(counter);
      await says(page, 'Paid');
      await page.setViewportSize({ width: 560, height: 830 });
      await keepPicture(page, `checkout-paid-${colorScheme}`);
      expect([visitor.faults, visitor.elsewhere]).toEqual([[], []]);
    } finally {
      await visitor.close();
    }
  });
});
