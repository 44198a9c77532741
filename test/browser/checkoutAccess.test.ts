import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { sample } from '../support/scale.ts';
import { graveFaults, overflowOf } from './support/accessibility.ts';
import { openVisitor } from './support/browser.ts';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { ETH, TUSD } from './support/shop.ts';
import { installWallet } from './support/wallet.ts';

const counter = openCounter();

/** A link with whatever a page can hold. */
const FULL = {
  title: 'A very long title of something that is bought by many people, and told in many words',
  description: 'Two menus,\nand a coffee.',
  pricing: 'LINE_ITEMS',
  accepts: [{ asset: TUSD }, { asset: ETH }],
  lineItems: [
    {
      title: 'Menu',
      description: 'With everything that belongs to it',
      quantity: 2,
      prices: [
        { asset: TUSD, amount: '10.5' },
        { asset: ETH, amount: '0.004000000000000001' },
      ],
    },
  ],
  customFields: [
    { key: 'table', label: 'Table', type: 'NUMBER' },
    { key: 'milk', label: 'Which milk', type: 'SELECT', options: ['cow', 'oat'] },
    { key: 'news', label: 'Write to me about offers', type: 'BOOLEAN' },
  ],
};

/** Goes through every state that a payment has on the page, and looks at each. */
async function walk(page: Page, path: string, look: (state: string) => Promise<void>): Promise<void> {
  await page.goto(path);
  await page.getByRole('button', { name: PAY }).waitFor();
  await page.getByText('Neither of these?').click();
  await look('the offer');
  await press(page, 'Pay from a phone or an exchange');
  await page.getByRole('img', { name: /QR code/ }).waitFor();
  await page.getByText('I have sent it, and it is not shown here').click();
  await page.getByRole('textbox').last().fill('0x12');
  await press(page, 'Sign with Test Wallet');
  await page
    .getByRole('alert')
    .getByText(/^A transaction is/)
    .waitFor();
  await look('paying from elsewhere, and a fault');
  await press(page, 'Pay in another way');
  await press(page, 'I have sent nothing: call it off');
  await counter.shop.chain.node.setAutomine(false);
  try {
    await press(page, PAY);
    await says(page, 'Sent');
    await page.getByText('Did it fail?').click();
    await look('sent');
  } finally {
    await counter.shop.chain.node.setAutomine(true);
  }
  await confirm(counter);
  await says(page, 'Paid');
  await look('paid');
}

describe.each(sample(['light', 'dark'] as const, 2))('the page in %s', (colorScheme) => {
  it('has no grave fault of accessibility in any state, and fits a window of 320 pixels', async () => {
    const { path } = await counter.shop.makeLink(FULL);
    const closed = await counter.shop.makeLink({
      inactiveMessage: 'Back on Monday.',
      startsAt: '2100-01-01T00:00:00Z',
    });
    const phone = await openVisitor(counter.browser, counter.shop.origin, {
      colorScheme,
      viewport: { width: 320, height: 640 },
      isMobile: true,
      hasTouch: true,
    });
    await installWallet(phone.context, {
      chains: [{ chainId: 31_337, rpcUrl: counter.shop.chain.rpcUrl }],
      account: counter.wallet.account,
    });
    const seen: string[] = [];
    try {
      const page = await phone.open('/pay/never-was-there');
      const look = async (state: string): Promise<void> => {
        expect(await graveFaults(page), state).toEqual([]);
        expect(await overflowOf(page), state).toBe(0);
        seen.push(state);
      };
      await look('nothing there');
      await page.goto(closed.path);
      await says(page, 'Not open yet');
      await look('closed');
      await walk(page, path, look);
    } finally {
      await phone.close();
    }
    expect(seen).toHaveLength(6);
  });
});

const themes = [
  { accent: '#ffe600', background: '#101820', font: 'ROUNDED' },
  { accent: '#777777', background: '#808080', font: 'SERIF' },
  { accent: '#fff', background: '#fff', font: 'MONOSPACE' },
  { accent: '#000000', background: '#7a0019' },
];

describe.each(sample(themes, 4))('the page in the merchant’s own colours, %j', (theme) => {
  it('can be read all the same, in light and in dark', async () => {
    await counter.shop.ask(
      `mutation ($input: UpdateStoreConfigurationInput!) { updateStoreConfiguration(input: $input) { replayed } }`,
      { input: { theme } },
    );
    const { path } = await counter.shop.makeLink(FULL);
    const page = await counter.visitor.open(path);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.getByRole('button', { name: PAY }).waitFor();
      expect(await graveFaults(page), colorScheme).toEqual([]);
    }
    counter.wallet.refused.add('eth_requestAccounts');
    await press(page, PAY);
    await page
      .getByRole('alert')
      .getByText(/^You have refused/)
      .waitFor();
    expect(await graveFaults(page), 'a fault').toEqual([]);
    await press(page, 'Pay from a phone or an exchange');
    await page.getByRole('img', { name: /QR code/ }).waitFor();
    expect(await graveFaults(page)).toEqual([]);
    const root = page.locator('html');
    const background = await root.evaluate((element) =>
      (globalThis as unknown as { getComputedStyle(of: unknown): { getPropertyValue(name: string): string } })
        .getComputedStyle(element)
        .getPropertyValue('--background'),
    );
    expect(background).toBe(theme.background.length === 4 ? '#ffffff' : theme.background);
    await counter.shop.ask(
      `mutation ($input: UpdateStoreConfigurationInput!) { updateStoreConfiguration(input: $input) { replayed } }`,
      { input: { theme: null } },
    );
  });
});

describe('what looks for faults', () => {
  it('finds one where there is one', async () => {
    const page = await counter.visitor.open('/pay/none');
    counter.expected.push(/404/);
    await page.locator('main').evaluate((main) => {
      (main as unknown as { innerHTML: string }).innerHTML = '<button></button>';
    });
    expect(await graveFaults(page)).toEqual([expect.stringContaining('button-name')]);
  });
});

describe('a payer without a mouse', () => {
  it('pays by the keyboard alone, and sees where they are', async () => {
    const { id, path } = await counter.shop.makeLink({
      ...FULL,
      customFields: [{ key: 'table', label: 'Table', type: 'TEXT', required: true }],
    });
    const page = await counter.visitor.open(path);
    await page.getByRole('button', { name: PAY }).waitFor();
    const focused = page.locator(':focus');
    const reach = async (wanted: string): Promise<void> => {
      for (let step = 0; step < 20; step += 1) {
        await page.keyboard.press('Tab');
        const name = await focused.evaluate(
          (element) =>
            (element as unknown as { labels?: { textContent: string }[]; textContent: string }).labels?.[0]
              ?.textContent ?? element.textContent,
        );
        if (name?.includes(wanted)) return;
      }
      throw new Error(`The keyboard does not reach ${wanted}.`);
    };
    await reach('21 TUSD on Local chain');
    await page.keyboard.press('ArrowDown');
    await reach('Table');
    await page.keyboard.type('12');
    await reach('with Test Wallet');
    const outline = await focused.evaluate(
      (element) =>
        (globalThis as unknown as { getComputedStyle(of: unknown): { outlineStyle: string } }).getComputedStyle(element)
          .outlineStyle,
    );
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    await says(page, 'Your payment was seen');
    // the button is gone, and the keyboard goes on from what has taken its place
    expect(await focused.textContent()).toBe(FULL.title);
    expect(await counter.shop.ordersOf(id)).toMatchObject([{ fieldValues: { table: '12' } }]);
  });

  it('hears what happens: the state of the payment and faults are said by themselves', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.refused.add('eth_sendTransaction');
    await press(page, PAY);
    await page
      .getByRole('alert')
      .getByText(/^You have refused/)
      .waitFor();
    await page.getByRole('status').getByText('Waiting for your payment').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.getByRole('main').count()).toBe(1);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
  });
});

describe('the script of the page', () => {
  it('is at most 150 kB as it travels', async () => {
    const html = await (await fetch(`${counter.shop.origin}/pay/none`)).text();
    const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(files.map((file) => file.replace(/-\w+\./, '.'))).toEqual([
      '/assets/checkout/main.css',
      '/assets/checkout/main.js',
    ]);
    for (const file of files) {
      const headers = { 'accept-encoding': 'gzip' };
      const response = await fetch(`${counter.shop.origin}${file}`, { headers });
      expect(Number(response.headers.get('content-length'))).toBeLessThan(150_000);
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
  });
});
