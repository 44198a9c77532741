import type { PrivateKeyAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { demoAccount } from '../../src/chain/providers/devAccounts.ts';
import { openVisitor } from './support/browser.ts';
import { chooseWallet, openDesk, openPlayground, says, signInAs } from './support/desk.ts';
import { holds, run, turnTo, writeText } from './support/editors.ts';

const desk = openDesk();

interface Made {
  readonly createPaymentLink: {
    readonly paymentLink: { readonly url: string; readonly accepts: readonly { readonly payTo: string }[] };
  };
}

describe('the link that stands ready', () => {
  it('is paid to whoever makes it, and its url leads to a page where it can be paid', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Bob');
    await turnTo(page, 'CreatePaymentLink');
    await holds(page, 'variables.json', demoAccount(1).address);
    const { data } = await run(page);
    const { url, accepts } = (data as unknown as Made).createPaymentLink.paymentLink;
    expect(accepts).toMatchObject([{ payTo: demoAccount(1).address }]);
    const payer = await desk.visitor.open(new URL(url).pathname);
    await payer.getByRole('heading', { name: 'An espresso' }).waitFor();
    await payer.getByText('Borealis Books').first().waitFor();
  });

  it('names who signs in while it is looked at, with a wallet of their own as well', async () => {
    const page = await openPlayground(desk);
    await turnTo(page, 'CreatePaymentLink');
    await signInAs(page, 'Bob');
    await holds(page, 'variables.json', demoAccount(1).address);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await says(page, 'Signed out.');
    await chooseWallet(page);
    await says(page, /^Signed in as 0x/);
    const { address } = desk.wallet.account;
    await holds(page, 'variables.json', address);
    expect(await run(page)).toMatchObject({
      data: { createPaymentLink: { paymentLink: { accepts: [{ payTo: address }] } } },
    });
  });

  it('stays as somebody has written it', async () => {
    const page = await openPlayground(desk);
    await turnTo(page, 'CreatePaymentLink');
    const input = {
      title: 'A tea',
      accepts: [{ asset: 'eip155:31337/slip44:60', amount: '1', payTo: demoAccount(0).address }],
    };
    await writeText(page, 'variables.json', JSON.stringify({ input }));
    await signInAs(page, 'Bob');
    const { errors } = await run(page);
    expect(errors?.[0]?.extensions?.code).toBe('PAYEE_NOT_PROVED');
    await holds(page, 'variables.json', JSON.stringify({ input }));
  });
});

describe('the page that npm start names', () => {
  it('is paid with what Dave of the demo has, by a wallet that has never heard of the chain', async () => {
    const { chains } = desk.wallet;
    const page = await desk.visitor.open(new URL(desk.checkout).pathname);
    desk.wallet.account = demoAccount(3).account as unknown as PrivateKeyAccount;
    chains.clear();
    desk.wallet.chainId = 1;
    await page.getByRole('radio', { name: /ETH/ }).check();
    await page.getByRole('button', { name: 'Pay 0.01 ETH with Test Wallet' }).click();
    await page.getByRole('heading', { level: 2, name: /^(Your payment was seen|Paid)/ }).waitFor();
    expect(desk.wallet.told).toMatchObject([{ chainId: '0x7a69' }]);
  });
});

describe('a wallet that says less than the standard asks for', () => {
  it('is offered, without a picture', async () => {
    const visitor = await openVisitor(desk.browser, desk.origin);
    await visitor.context.addInitScript(() => {
      const page = globalThis as unknown as EventTarget;
      const detail = { info: { uuid: 'odd', name: 'Odd Wallet', rdns: 'x.y' }, provider: { request: async () => [] } };
      page.addEventListener('eip6963:requestProvider', () =>
        page.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail })),
      );
    });
    const page = await openPlayground({ visitor });
    await page.getByRole('button', { name: 'Sign in with wallet' }).click();
    await page.getByRole('button', { name: 'Odd Wallet' }).waitFor();
    expect(await page.getByRole('button', { name: 'Odd Wallet' }).locator('img').count()).toBe(0);
    await visitor.close();
    expect([visitor.faults, visitor.elsewhere]).toEqual([[], []]);
  });
});
