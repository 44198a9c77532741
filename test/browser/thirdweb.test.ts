import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startThirdwebbed, type ThirdwebbedHouse } from '../identity/thirdwebbed.ts';
import { sql } from '../identity/visitor.ts';
import { clearLeftovers, makeRoot } from '../local/children.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { openBrowser, openVisitor } from './support/browser.ts';
import { press } from './support/counter.ts';
import { type ExamplePage, startExample } from './support/examples.ts';
import { installWallet } from './support/wallet.ts';

let chain: DevelopmentChain;
let house: ThirdwebbedHouse;
let browser: Browser;
let example: ExamplePage;
beforeAll(async () => {
  chain = await openDevelopmentChain();
  [house, browser] = await Promise.all([startThirdwebbed({ chains: [chain.setting] }), openBrowser()]);
  example = await startExample('thirdweb', {
    gateway: house.url,
    folder: makeRoot(),
    settings: { VITE_THIRDWEB_CLIENT_ID: house.thirdweb.clientId },
  });
});
afterAll(async () => {
  await browser?.close();
  await example?.stop();
  await house?.stop();
  await chain?.stop();
  await clearLeftovers();
});

/** This page asks thirdweb for much, which is not there for a test: it works without. */
async function enter(page: Page): Promise<void> {
  await press(page, 'Connect');
  await press(page, 'Connect a Wallet');
  await press(page, /Test Wallet/);
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in', exact: true }).click();
}

describe('the thirdweb example', () => {
  it('signs in with the button of thirdweb, and out when that disconnects', async () => {
    const visitor = await openVisitor(browser, example.origin);
    const wallet = await installWallet(visitor.context, { chains: [{ chainId: 31_337, rpcUrl: chain.rpcUrl }] });
    await visitor.context.route(/^https:/, (route) => route.abort());
    const page = await visitor.open('/');
    await enter(page);
    await page.getByRole('heading', { level: 2, name: /, OWNER of / }).waitFor();
    expect(wallet.asked).toEqual(['eth_requestAccounts', 'personal_sign']);
    const address = wallet.account.address.toLowerCase();
    await page
      .getByRole('listitem')
      .filter({ hasText: `WALLET ${address} EOA, EXTERNAL` })
      .waitFor();
    expect(await sessionsOf(address)).toBe(1);

    await press(page, new RegExp(`^${address.slice(0, 6)}`, 'i'));
    await press(page, 'Disconnect Wallet');
    await page.getByRole('heading', { level: 2, name: /, OWNER of / }).waitFor({ state: 'detached' });
    expect(await sessionsOf(address)).toBe(0);
    await visitor.close();
  });
});

async function sessionsOf(address: string): Promise<number> {
  const rows = await sql(
    house,
    `select from sessions s join identities i on i.id = s.identity_id where i.subject = $1 and s.ended_at is null`,
    [address],
  );
  return rows.length;
}
