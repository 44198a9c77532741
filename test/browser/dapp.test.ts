import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../identity/visitor.ts';
import { clearLeftovers, makeRoot } from '../local/children.ts';
import { signIn } from '../support/person.ts';
import { sample } from '../support/scale.ts';
import { graveFaults, overflowOf } from './support/accessibility.ts';
import { openBrowser, openVisitor, type Visitor } from './support/browser.ts';
import { PAY, press } from './support/counter.ts';
import { type ExamplePage, startExample } from './support/examples.ts';
import { openShop, type Shop } from './support/shop.ts';
import { type BrowserWallet, installWallet } from './support/wallet.ts';

let shop: Shop;
let browser: Browser;
let dapp: ExamplePage;
beforeAll(async () => {
  [shop, browser] = await Promise.all([openShop(), openBrowser()]);
  dapp = await startExample('dapp', { gateway: shop.house.url, folder: makeRoot() });
});
afterAll(async () => {
  await browser?.close();
  await dapp?.stop();
  await shop?.close();
  await clearLeftovers();
});

let visitor: Visitor;
let wallet: BrowserWallet;
/** Faults that a test is about; any other one fails it. */
let expected: RegExp[];
beforeEach(async () => {
  expected = [];
  visitor = await openVisitor(browser, dapp.origin);
  wallet = await installWallet(visitor.context, { chains: [{ chainId: 31_337, rpcUrl: shop.chain.rpcUrl }] });
  await shop.fund(wallet);
});
afterEach(async () => {
  await visitor.close();
  expect(visitor.faults.filter((fault) => !expected.some((one) => one.test(fault)))).toEqual([]);
  const known = [shop.origin, dapp.origin.replace('http', 'ws'), shop.chain.rpcUrl];
  expect(visitor.elsewhere.filter((url) => !known.some((origin) => url.startsWith(origin)))).toEqual([]);
});

const SIGNED_OUT = 'Sign in with a wallet';

const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole('heading', { level: 2, name, exact: true }).waitFor();

const orderRow = (page: Page, of: string, status: string): Promise<void> =>
  page.getByRole('row').filter({ hasText: of }).getByRole('cell', { name: status, exact: true }).waitFor();

async function enter(): Promise<Page> {
  const page = await visitor.open('/');
  await press(page, 'Test Wallet');
  await heading(page, 'New payment link');
  return page;
}

async function createLink(page: Page, title: string, amount = '12.5'): Promise<void> {
  await page.getByLabel('What for').fill(title);
  await page.getByLabel('Amount').fill(amount);
  await page.getByRole('combobox', { name: 'In' }).selectOption({ label: 'TUSD on Local chain' });
  await press(page, 'Create link');
  await page.getByText(`Made “${title}”`).waitFor();
}

interface Links {
  readonly organization: { readonly paymentLinks: { readonly edges: readonly { node: { slug: string } }[] } };
}

const ORDER = 'mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) { replayed } }';

/** Asks as whoever has this wallet, from elsewhere. */
async function elsewhere<Data>(query: string, variables: object = {}): Promise<Data> {
  const { accessToken } = await signIn(shop.house, wallet.account);
  const { data, errors } = await shop.house.ask<Data>(query, { ...variables }, { token: accessToken });
  if (!data || errors.length > 0) throw new Error(`Refused: ${JSON.stringify(errors)}`);
  return data;
}

describe('the example dApp', () => {
  it('signs in, makes a link, opens its checkout, and sees it paid without being loaded again', async () => {
    const page = await enter();
    await page.evaluate(() => Object.assign(globalThis, { neverLoadedAgain: true }));
    // This wallet shows its account to whoever looks, so it may not be asked for that.
    expect(wallet.asked.at(-1)).toBe('personal_sign');
    await page.getByText(wallet.account.address, { exact: true }).waitFor();
    const facts = await page.getByRole('definition').allTextContents();
    expect(facts.slice(1)).toEqual(['OWNER', '1']);

    await createLink(page, 'A bridge');
    // Whoever is paid cannot pay.
    wallet.changeAccount();
    await shop.fund(wallet);
    const opening = visitor.context.waitForEvent('page');
    await page.getByRole('link', { name: 'Open checkout of A bridge, in a new tab' }).click();
    const checkout = await opening;
    await press(checkout, PAY);
    await orderRow(page, 'A bridge', 'seen on the chain');
    await shop.chain.node.mine({ blocks: 2 });
    await orderRow(page, 'A bridge', 'paid');
    await page.getByRole('status').getByText('12.5 TUSD for “A bridge”: paid.').waitFor();
    expect(await page.evaluate(() => 'neverLoadedAgain' in globalThis)).toBe(true);
  });

  it('says that somebody has refused in the wallet, and lets them try again', async () => {
    const page = await visitor.open('/');
    wallet.refused.add('personal_sign');
    await press(page, 'Test Wallet');
    await page.getByRole('alert').getByText('WALLET_REFUSED').waitFor();
    await heading(page, SIGNED_OUT);
    wallet.refused.clear();
    await press(page, 'Test Wallet');
    await heading(page, 'New payment link');
  });

  it('keeps the session over a reload, until somebody signs out', async () => {
    const page = await enter();
    await page.reload();
    await heading(page, 'New payment link');
    await press(page, 'Sign out');
    await heading(page, SIGNED_OUT);
    await page.reload();
    await heading(page, SIGNED_OUT);
    await press(page, 'Test Wallet');
    await heading(page, 'New payment link');
  });

  it('is left when its session is ended elsewhere', async () => {
    expected = [/401/];
    const page = await enter();
    await elsewhere('mutation { endOtherSessions { replayed } }');
    await heading(page, SIGNED_OUT);
  });

  it('goes to another organization, whose links it shows and no others', async () => {
    const page = await enter();
    await createLink(page, 'Mine alone');
    await page.getByRole('listitem').filter({ hasText: 'Mine alone' }).waitFor();
    await elsewhere('mutation { createOrganization(input: { name: "The guild" }) { organization { id } } }');
    await page.reload();
    await page.getByRole('combobox', { name: 'Organization' }).selectOption({ label: 'The guild' });
    await heading(page, 'The guild');
    await page.getByText('None yet.', { exact: true }).waitFor();
    expect(await page.getByRole('listitem').count()).toBe(0);
    await createLink(page, 'For all of us');
    await page.getByRole('listitem').filter({ hasText: 'For all of us' }).waitFor();
    expect(await page.getByRole('listitem').count()).toBe(1);
  });

  it('lets the wallet sign again where the organization asks for a fresh proof', async () => {
    const page = await enter();
    await elsewhere(`mutation {
      updateOrganizationSettings(input: { requireStepUp: true }) { organization { id } }
    }`);
    await sql(shop.house, `update sessions set proved_at = proved_at - interval '11 minutes'`, []);
    wallet.asked.length = 0;
    await createLink(page, 'With care');
    expect(wallet.asked).toEqual(['personal_sign']);
  });

  it('shows what the gateway refuses, and what to do', async () => {
    const page = await enter();
    await page.getByLabel('What for').fill('Dust');
    await page.getByLabel('Amount').fill('0.0000001');
    await page.getByRole('combobox', { name: 'In' }).selectOption({ label: 'TUSD on Local chain' });
    await press(page, 'Create link');
    await page.getByRole('alert').getByText('AMOUNT_INVALID').waitFor();
    await createLink(page, 'Dust', '0.000001');
  });

  it.each(sample(['light', 'dark'] as const, 2))(
    'can be used by everybody, on a phone, when it is %s',
    async (colorScheme) => {
      const page = await visitor.open('/');
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 740 });
      await heading(page, SIGNED_OUT);
      expect(await graveFaults(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
      await press(page, 'Test Wallet');
      await heading(page, 'New payment link');
      const title = `Looks in the ${colorScheme}`;
      await createLink(page, title);
      await page.getByRole('listitem').filter({ hasText: title }).waitFor();
      const { organization } = await elsewhere<Links>(
        '{ organization { paymentLinks(first: 1) { edges { node { slug } } } } }',
      );
      const slug = organization.paymentLinks.edges[0]?.node.slug;
      await shop.house.ask(ORDER, { input: { slug, payer: shop.merchant.account.address } });
      await orderRow(page, title, 'waits for payment');
      expect(await graveFaults(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
    },
  );

  it('says that the gateway does not answer', async () => {
    expected = [/Failed to load resource/];
    await visitor.context.route(`${shop.origin}/**`, (route) => route.abort());
    const page = await visitor.open('/');
    await page.getByRole('alert').getByText('NETWORK_FAILED').waitFor();
  });
});
