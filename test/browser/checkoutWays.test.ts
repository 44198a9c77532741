import type { Locator, Page } from 'playwright-core';
import { concatHex, encodeFunctionData, erc20Abi, getAddress, type Hex, slice } from 'viem';
import { describe, expect, it } from 'vitest';
import { devAccount } from '../../src/chain/providers/devAccounts.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { openVisitor } from './support/browser.ts';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { ETH, TUSD } from './support/shop.ts';

const counter = openCounter();

/** Whole TUSD, as the page shows them, in base units. */
const unitsOf = (amount: string): bigint => {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(6, '0'));
};

function transferTo(to: Hex, units: bigint): Hex {
  return encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, units] });
}

/** Sends TUSD from an account that no page knows. */
function sendTusd(to: Hex, units: bigint): Promise<Hex> {
  return counter.shop.chain.send(8, { to: TEST_TOKEN_ADDRESS, data: transferTo(to, units) });
}

describe('paying from elsewhere', () => {
  it('is known by its amount, from whatever wallet or exchange it comes', async () => {
    await counter.shop.fund(devAccount(8));
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await page.getByRole('img', { name: 'QR code of this payment, for a wallet’s app' }).waitFor();
    await page.getByText('Send exactly this amount: your payment is known by it.').waitFor();
    const [amount = ''] = (await page.locator('dd').first().innerText()).split(' ');
    expect(amount).toMatch(/^12\.5\d+$/);
    const { address } = counter.shop.merchant.account;
    expect(await page.getByRole('link', { name: 'Open in a wallet on this device' }).getAttribute('href')).toBe(
      `ethereum:${getAddress(TEST_TOKEN_ADDRESS)}@31337/transfer?address=${address}&uint256=${unitsOf(amount)}`,
    );
    await sendTusd(address, unitsOf(amount));
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
  });

  it('can be done by the wallet in this browser after all', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });

  it('without any wallet in the browser is all that is offered', async () => {
    const { path } = await counter.shop.makeLink();
    const stranger = await openVisitor(counter.browser, counter.shop.origin);
    const page = await stranger.open(path);
    await page.getByText('No wallet was found in this browser.').waitFor();
    await press(page, 'Pay from a phone or an exchange');
    await says(page, 'Waiting for your payment');
    await stranger.close();
    expect([stranger.faults, stranger.elsewhere]).toEqual([[], []]);
  });

  it('is refused in a payer’s words where the link must know who pays', async () => {
    const { path } = await counter.shop.makeLink({ maxPerWallet: 1 });
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await page
      .getByRole('alert')
      .getByText('Here it must be known who pays. Pay with a wallet in this browser.')
      .waitFor();
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });
});

/** Tells a transaction, and lets the wallet sign. */
async function tell(page: Page, hash: string): Promise<void> {
  await page.getByLabel('The transaction that you have sent').fill(hash);
  await press(page, 'Sign with Test Wallet');
}

/** Tells a transaction again and again, until it was read from the chain. */
async function tellUntil(page: Page, hash: string, outcome: Locator): Promise<void> {
  const unseen = page.getByText(/^No such transaction to the merchant was seen yet/);
  do {
    await tell(page, hash);
    await outcome.or(unseen).waitFor();
  } while (!(await outcome.isVisible()));
}

describe('telling the transaction afterwards', () => {
  it('counts it, once the wallet that has sent it signs', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.getByText('Neither of these?').click();
    await press(page, 'Send it, and tell the transaction');
    await says(page, 'Waiting for your payment');
    await press(page, PAY);
    await says(page, 'Sent');
    const seen = page.getByRole('heading', { level: 2, name: 'Your payment was seen' });
    await tellUntil(page, counter.wallet.sent[0] ?? '', seen);
    await confirm(counter);
    await says(page, 'Paid');
  });

  it('is refused for what is none, was sent by somebody else, or is not there', async () => {
    await counter.shop.fund(devAccount(8));
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.getByText('Neither of these?').click();
    await press(page, 'Send it, and tell the transaction');
    await tell(page, '0x12');
    await page
      .getByRole('alert')
      .getByText(/^A transaction is 0x and 64 more/)
      .waitFor();
    await tell(page, `0x${'12'.repeat(32)}`);
    await page
      .getByRole('alert')
      .getByText(/^No such transaction to the merchant was seen yet/)
      .waitFor();
    const foreign = await sendTusd(counter.shop.merchant.account.address, 12_500_000n);
    await says(page, 'Waiting for your payment');
    await tellUntil(page, foreign, page.getByText(/^That transaction was sent from another wallet/));
    counter.wallet.refused.add('personal_sign');
    await tell(page, foreign);
    await page
      .getByRole('alert')
      .getByText(/^You have refused in the wallet/)
      .waitFor();
  });
});

describe('what a link asks', () => {
  it('leaves the amount to the payer, within its bounds', async () => {
    const accepts = [{ asset: TUSD, minAmount: '2', maxAmount: '50' }];
    const { path } = await counter.shop.makeLink({ pricing: 'OPEN', accepts });
    const page = await counter.visitor.open(path);
    await page.getByText('at least 2, at most 50 TUSD').waitFor();
    await press(page, 'Pay with Test Wallet');
    expect(counter.wallet.asked).toEqual([]);
    await page.getByLabel('How much, in TUSD').fill('much');
    await press(page, 'Pay with Test Wallet');
    await page
      .getByRole('alert')
      .getByText(/^Say how much you want to pay/)
      .waitFor();
    await page.getByLabel('How much, in TUSD').fill('51');
    await press(page, 'Pay 51 TUSD with Test Wallet');
    await page.getByRole('alert').getByText('The merchant does not take this amount.').waitFor();
    await page.getByLabel('How much, in TUSD').fill('7,25');
    await press(page, 'Pay 7.25 TUSD with Test Wallet');
    await says(page, 'Your payment was seen');
  });

  it('shows what is bought and what it costs in the asset that is chosen, and asks what the merchant wants to know', async () => {
    const { id, path } = await counter.shop.makeLink({
      description: 'Two menus,\nand a coffee.',
      pricing: 'LINE_ITEMS',
      accepts: [{ asset: TUSD }, { asset: ETH }],
      lineItems: [
        {
          title: 'Menu',
          quantity: 2,
          prices: [
            { asset: TUSD, amount: '10.5' },
            { asset: ETH, amount: '0.004' },
          ],
        },
        {
          title: 'Coffee',
          description: 'With milk',
          quantity: 1,
          prices: [
            { asset: TUSD, amount: '3' },
            { asset: ETH, amount: '0.001' },
          ],
        },
      ],
      customFields: [
        { key: 'table', label: 'Table', type: 'NUMBER', required: true, min: '1', max: '20' },
        { key: 'mail', label: 'E-mail', type: 'EMAIL' },
        { key: 'milk', label: 'Which milk', type: 'SELECT', options: ['cow', 'oat'], required: true },
        { key: 'terms', label: 'I agree', type: 'BOOLEAN', required: true },
      ],
    });
    const page = await counter.visitor.open(path);
    await page.getByRole('row', { name: '2 × Menu 21 TUSD' }).waitFor();
    await page.getByLabel('0.009 ETH on Local chain').check();
    await page.getByRole('row', { name: '2 × Menu 0.008 ETH' }).waitFor();
    await press(page, 'Pay 0.009 ETH with Test Wallet');
    expect(counter.wallet.asked).toEqual([]);
    await page.getByLabel('Table').fill('77');
    await page.getByLabel('Which milk').selectOption('oat');
    await page.getByLabel('I agree').check();
    await press(page, 'Pay 0.009 ETH with Test Wallet');
    await page
      .getByRole('alert')
      .getByText(/^“Table” is not what is asked for/)
      .waitFor();
    await page.getByLabel('Table').fill('12');
    await press(page, 'Pay 0.009 ETH with Test Wallet');
    await says(page, 'Your payment was seen');
    await page.getByRole('row', { name: 'Coffee With milk 0.001 ETH' }).waitFor();
    expect(await counter.shop.ordersOf(id)).toMatchObject([{ fieldValues: { table: '12', milk: 'oat', terms: true } }]);
  });

  it('sends payers on to where the merchant says, once they have paid, or give up', async () => {
    await counter.shop.ask(
      `mutation ($input: UpdateOrganizationSettingsInput!) { updateOrganizationSettings(input: $input) { replayed } }`,
      { input: { redirectOrigins: ['https://shop.example'] } },
    );
    const { path } = await counter.shop.makeLink({
      successUrl: 'https://shop.example/thanks',
      cancelUrl: 'https://shop.example/cart',
    });
    const page = await counter.visitor.open(path);
    const back = page.getByRole('link', { name: 'Back without paying' });
    expect([await back.getAttribute('href'), await back.getAttribute('rel')]).toEqual([
      'https://shop.example/cart',
      'noreferrer',
    ]);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    expect(await page.getByRole('link', { name: /^On to / }).getAttribute('href')).toBe('https://shop.example/thanks');
  });

  it('is shown as text, whatever the merchant writes', async () => {
    const title = '<img src=x onerror=alert(1)>';
    const { path } = await counter.shop.makeLink({ title, description: '"><script>alert(2)</script>' });
    const page = await counter.visitor.open(path);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.getByText('"><script>alert(2)</script>').waitFor();
    expect(await page.locator('script:not([src]), img[src="x"]').count()).toBe(0);
  });
});

describe('a part of what is due', () => {
  it('is shown with what is left, which the wallet then pays', async () => {
    const { path } = await counter.shop.makeLink();
    counter.wallet.refused.add('eth_sendTransaction');
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await page
      .getByRole('alert')
      .getByText(/^You have refused/)
      .waitFor();
    counter.wallet.refused.clear();
    const part = transferTo(counter.shop.merchant.account.address, 5_000_000n);
    counter.wallet.edit = ({ to, data = '0x' }) => ({ to, data: concatHex([part, slice(data, -16)]) });
    await press(page, PAY);
    await says(page, 'A part has arrived');
    await page.getByText('5 TUSD arrived; 7.5 TUSD are left to pay.').waitFor();
    counter.wallet.edit = (call) => call;
    await press(page, 'Pay 7.5 TUSD with Test Wallet');
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
  });
});

describe('money that goes back', () => {
  it('goes where the wallet that has paid says, and the page tells what becomes of it', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    const [order] = await counter.shop.ordersOf(id);
    await counter.shop.ask(
      `mutation ($input: RequestRefundInput!) { requestRefund(input: $input) { refund { id } } }`,
      { input: { orderId: order?.id, amount: '2.5', reason: 'One menu was cold' } },
    );
    await page.getByText('2.5 TUSD waits for you to say where it is to go.').waitFor();
    const destination = page.getByLabel('The address that it is to go to');
    expect(await destination.inputValue()).toBe('');
    await destination.fill('my wallet');
    await press(page, 'Sign with Test Wallet');
    await page
      .getByRole('alert')
      .getByText(/^An address is 0x/)
      .waitFor();
    const elsewhere = getAddress('0x00000000000000000000000000000000000a11ce');
    counter.expected.push(/400/);
    await destination.fill(elsewhere.replace('A', 'a'));
    await press(page, 'Sign with Test Wallet');
    await page
      .getByRole('alert')
      .getByText(/^What was typed is not what is asked for/)
      .waitFor();
    await destination.fill(elsewhere);
    const payer = counter.wallet.account;
    counter.wallet.changeAccount();
    await press(page, 'Sign with Test Wallet');
    await page
      .getByRole('alert')
      .getByText(/^Only the wallet that has paid can say/)
      .waitFor();
    counter.wallet.account = payer;
    await press(page, 'Sign with Test Wallet');
    await page.getByText(/^2\.5 TUSD is about to be sent, to 0x000000…0A11cE\.$/).waitFor();
  });
});
