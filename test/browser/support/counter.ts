import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { openBrowser, openVisitor, type Visitor } from './browser.ts';
import { openShop, type Shop } from './shop.ts';
import { type BrowserWallet, installWallet } from './wallet.ts';

/** A shop, and whoever stands at its counter: another visitor with another wallet in each test. */
export interface Counter {
  readonly shop: Shop;
  readonly browser: Browser;
  readonly visitor: Visitor;
  readonly wallet: BrowserWallet;
  /** Faults that this test is about; any other one fails it. */
  readonly expected: RegExp[];
}

/**
 * Opens a shop for the tests of a file. Behind each of them it is checked that no page had a fault, broke its own policy,
 * or asked anybody but the gateway for anything.
 */
export function openCounter(options: BrowserContextOptions = {}, settings: Record<string, string> = {}): Counter {
  const counter = { expected: [] as RegExp[] } as { -readonly [Key in keyof Counter]: Counter[Key] };
  beforeAll(async () => {
    [counter.shop, counter.browser] = await Promise.all([openShop(settings), openBrowser()]);
  });
  beforeEach(async () => {
    const { browser, shop } = counter;
    counter.expected = [];
    counter.visitor = await openVisitor(browser, shop.origin, options);
    counter.wallet = await installWallet(counter.visitor.context, {
      chains: [{ chainId: 31_337, rpcUrl: shop.chain.rpcUrl }],
    });
    await shop.fund(counter.wallet);
  });
  afterEach(async () => {
    const { visitor, expected } = counter;
    await visitor.close();
    expect(visitor.faults.filter((fault) => !expected.some((one) => one.test(fault)))).toEqual([]);
    expect(visitor.elsewhere).toEqual([]);
  });
  afterAll(async () => {
    await counter.browser?.close();
    await counter.shop?.close();
  });
  return counter;
}

/** Waits for what the page says of the payment, or of the link. */
export async function says(page: Page, headline: string): Promise<void> {
  await page.getByRole('heading', { level: 2, name: headline, exact: true }).waitFor();
}

/** Presses a button by the words on it. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('button', { name, ...(typeof name === 'string' && { exact: true }) }).click();
}

/** The button by which the wallet pays. */
export const PAY = /^Pay .+ with Test Wallet$/;

/** Mines what makes a payment of the block before good enough. */
export function confirm({ shop }: Pick<Counter, 'shop'>): Promise<void> {
  return shop.chain.node.mine({ blocks: 2 });
}
