import { describe, expect, it } from 'vitest';
import { sample } from '../support/scale.ts';
import { openVisitor } from './support/browser.ts';
import { chooseWallet, openDesk, openPlayground, says, signInAs } from './support/desk.ts';
import { run } from './support/editors.ts';

// OP Mainnet’s id: the gateway has no node of it, and lets one sign in on it all the same.
const desk = openDesk({}, { SIGN_IN_CHAIN_IDS: '31337,10' });

describe('whoever comes with a wallet', () => {
  it('signs in with it, and asks as its user', async () => {
    const page = await openPlayground(desk);
    expect(await run(page)).toMatchObject({ data: { viewer: null, chains: [{ name: 'Local chain' }] } });
    await chooseWallet(page);
    await says(page, /^Signed in as 0x.* This wallet was new here/);
    const { address } = desk.wallet.account;
    expect(await run(page)).toMatchObject({ data: { viewer: { user: { wallets: [{ address }] }, role: 'OWNER' } } });
    expect(desk.wallet.asked).toEqual(['eth_requestAccounts', 'personal_sign']);
    expect(await page.getByRole('combobox', { name: 'Organization' }).innerText()).not.toBe('');
  });

  it.each(sample(['eth_requestAccounts', 'personal_sign'], 2))(
    'is nobody when they refuse %s, and can try again',
    async (method) => {
      const page = await openPlayground(desk);
      desk.wallet.refused.add(method);
      await chooseWallet(page);
      await says(page, 'You refused in the wallet, and nothing was done.');
      expect(await run(page)).toMatchObject({ data: { viewer: null } });
      desk.wallet.refused.clear();
      await chooseWallet(page);
      await says(page, /^Signed in as 0x/);
    },
  );

  const chains = [
    { on: 10, signs: 10 },
    { on: 31_337, signs: 31_337 },
    { on: 1, signs: 31_337 },
  ];
  it.each(sample(chains, 3))('signs in on chain $signs from chain $on', async ({ on, signs }) => {
    const page = await openPlayground(desk);
    desk.wallet.chainId = on;
    const sent = page.waitForRequest((request) => request.postData()?.includes('signInWithEthereum') ?? false);
    await chooseWallet(page);
    const { message } = (await sent).postDataJSON().variables.input;
    expect(message).toContain(`\nChain ID: ${signs}\n`);
    await says(page, /^Signed in as 0x/);
    expect(desk.wallet.asked).not.toContain('wallet_switchEthereumChain');
  });

  it('is told what the wallet says that cannot sign', async () => {
    const page = await openPlayground(desk);
    desk.wallet.account.signMessage = () => Promise.reject(new Error('The device is locked.'));
    await chooseWallet(page);
    await says(page, 'The wallet could not sign: The device is locked.');
    expect(await page.getByRole('button', { name: 'Sign in with wallet' }).count()).toBe(1);
  });
});

describe('whoever comes without one', () => {
  it('is told that there is none, and may be somebody of the demo', async () => {
    const visitor = await openVisitor(desk.browser, desk.origin);
    const page = await openPlayground({ visitor });
    await page.getByRole('button', { name: 'Sign in with wallet' }).click();
    await page.getByText('This browser has no wallet').waitFor();
    await page.keyboard.press('Escape');
    await signInAs(page, 'Bob');
    expect(await run(page)).toMatchObject({
      data: { viewer: { user: { displayName: 'Bob' }, organization: { name: 'Borealis Books' }, role: 'OWNER' } },
    });
    await visitor.close();
    expect([visitor.faults, visitor.elsewhere]).toEqual([[], []]);
  });

  it('needs no mouse', async () => {
    const page = await openPlayground(desk);
    await page.getByRole('button', { name: 'Sign in with wallet' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Test Wallet' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Test Wallet' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await says(page, 'Signed in as Bob.');
  });
});
