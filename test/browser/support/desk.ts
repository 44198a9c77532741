import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { demoWallets, seedPayments, seedPeople, waitForChain } from '../../../src/demo.ts';
import { startTollhouse, type TestTollhouse } from '../../support/tollhouse.ts';
import { openBrowser, openVisitor, type Visitor } from './browser.ts';
import { type BrowserWallet, installWallet } from './wallet.ts';

/** A gateway with the demo in it, and whoever explores it: another visitor with another wallet in each test. */
export interface Desk {
  readonly house: TestTollhouse;
  readonly browser: Browser;
  readonly origin: string;
  /** The page that the demo names to be paid. */
  readonly checkout: string;
  readonly visitor: Visitor;
  readonly wallet: BrowserWallet;
  /** Faults that this test is about; any other one fails it. */
  readonly expected: RegExp[];
}

/**
 * Opens a desk for the tests of a file. Behind each of them it is checked that the page had no fault, did not break its
 * own policy, and asked nobody but the gateway for anything.
 */
export function openDesk(options: BrowserContextOptions = {}, settings: Record<string, string> = {}): Desk {
  const desk = { expected: [] as RegExp[] } as { -readonly [Key in keyof Desk]: Desk[Key] };
  beforeAll(async () => {
    const [demo, browser] = await Promise.all([openDemo(settings), openBrowser()]);
    Object.assign(desk, demo, { browser });
    desk.origin = desk.house.url.replace(/\/graphql$/, '');
  });
  beforeEach(async () => {
    desk.expected = [];
    desk.visitor = await openVisitor(desk.browser, desk.origin, options);
    const { rpcUrl } = chainOf(desk.house);
    desk.wallet = await installWallet(desk.visitor.context, { chains: [{ chainId: 31_337, rpcUrl }] });
  });
  afterEach(async () => {
    const { visitor, expected } = desk;
    await visitor.close();
    expect(visitor.faults.filter((fault) => !expected.some((one) => one.test(fault)))).toEqual([]);
    expect(visitor.elsewhere).toEqual([]);
  });
  afterAll(async () => {
    await desk.browser?.close();
    await desk.house?.stop();
  });
  return desk;
}

async function openDemo(settings: Record<string, string>): Promise<Pick<Desk, 'house' | 'checkout'>> {
  const house = await startTollhouse({ chain: true, demoWallets: demoWallets(), settings });
  const { setting } = chainOf(house);
  // It is bundled for the first who comes; no test is to wait for that.
  await fetch(house.url, { headers: { accept: 'text/html' } });
  await seedPeople(house.resources);
  if (!(await waitForChain(house.resources, setting))) throw new Error('The chain was not read in time.');
  const checkout = await seedPayments(house.resources, setting);
  return { house, checkout: checkout ?? '' };
}

function chainOf({ chain }: TestTollhouse): NonNullable<TestTollhouse['chain']> {
  if (!chain) throw new Error('The house has no chain.');
  return chain;
}

/** Opens the playground, and waits until its editors can be used. */
export async function openPlayground({ visitor }: Pick<Desk, 'visitor'>): Promise<Page> {
  const page = await visitor.open('/graphql');
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  return page;
}

/** Waits for what the bar says. */
export async function says(page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole('status').getByText(text).waitFor();
}

/** Signs in as somebody of the demo, and waits until that is so. */
export async function signInAs(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign in as a demo wallet' }).click();
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await says(page, `Signed in as ${name}.`);
}

/** Chooses the wallet of the browser. */
export async function chooseWallet(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign in with wallet' }).click();
  await page.getByRole('button', { name: 'Test Wallet' }).click();
}
