import type { Page } from 'playwright-core';
import { concatHex, encodeFunctionData, erc20Abi, type Hex, slice } from 'viem';
import { describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { signIn } from '../support/person.ts';
import { openCounter, PAY, press, says } from './support/counter.ts';
import { beginRefused, closePayment, tokenOf } from './support/payment.ts';
import { TUSD } from './support/shop.ts';

// What must not happen to a payer's money on the page.

const counter = openCounter();

const sendings = (): number => counter.wallet.asked.filter((method) => method === 'eth_sendTransaction').length;

const alerted = (page: Page, words: RegExp): Promise<void> => page.getByRole('alert').getByText(words).waitFor();

/** The order of a link of somebody else, who wants to be paid under another's name. */
async function beginAtStrangers(): Promise<{ readonly token: string; readonly payTo: string }> {
  const { house } = counter.shop;
  const stranger = await signIn(house);
  const payTo = stranger.account.address;
  const made = await house.ask<{ createPaymentLink: { paymentLink: { slug: string } } }>(
    `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { slug } } }`,
    { input: { title: 'Trap', accepts: [{ asset: TUSD, amount: '12.5', payTo }] } },
    { token: stranger.accessToken },
  );
  const { data } = await house.ask<{ createPaymentOrder: { checkoutOrder: { token: string } } }>(
    `mutation ($slug: String!) { createPaymentOrder(input: { slug: $slug }) { checkoutOrder { token } } }`,
    { slug: made.data?.createPaymentLink.paymentLink.slug },
  );
  return { token: data?.createPaymentOrder.checkoutOrder.token ?? '', payTo };
}

describe('a payment of another merchant’s link', () => {
  it('is never shown under this one’s name', async () => {
    const { id, path } = await counter.shop.makeLink();
    const { token, payTo } = await beginAtStrangers();
    const page = await counter.visitor.open(`${path}#order=${token}`);
    await page.getByRole('heading', { level: 1, name: 'There is nothing to pay here' }).waitFor();
    expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
    expect((await page.content()).toLowerCase()).not.toContain(payTo.toLowerCase());
    await press(page, 'Begin again');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['CONFIRMING']);
  });

  it('nor where there is no link', async () => {
    counter.expected.push(/404/);
    const { token, payTo } = await beginAtStrangers();
    const page = await counter.visitor.open(`/pay/never-was-there#order=${token}`);
    await page.getByRole('heading', { level: 1, name: 'There is nothing to pay here' }).waitFor();
    await page.getByRole('button', { name: 'Begin again' }).waitFor();
    expect((await page.content()).toLowerCase()).not.toContain(payTo.toLowerCase());
  });

  it('nor, whatever it is of, where an organization’s own domain has no such link', async () => {
    counter.expected.push(/404/);
    const { path } = await counter.shop.makeLink();
    const { context } = counter.visitor;
    const token = await tokenOf(await beginRefused(counter, path));
    const asked: string[] = [];
    await context.route(`**${path}`, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace('data-finding="found"', 'data-finding="foreign"');
      await route.fulfill({ response, status: 404, body });
    });
    const page = await context.newPage();
    page.on('request', (request) => asked.push(request.method()));
    await page.goto(`${path}#order=${token}`);
    await page.getByRole('heading', { level: 1, name: 'There is nothing to pay here' }).waitFor();
    expect(asked).not.toContain('POST');
  });
});

describe('right before a wallet is asked to send', () => {
  it('an order that was called off meanwhile is paid no more', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    counter.wallet.meanwhile = async (method) => {
      if (method === 'eth_requestAccounts') await closePayment(counter, id);
    };
    await press(page, PAY);
    await alerted(page, /^Nothing was sent: this payment takes nothing any more\./);
    await says(page, 'Called off');
    expect(sendings()).toBe(1);
  });

  it('nor one whose time is over, though nobody has said so yet', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    counter.wallet.meanwhile = async (method) => {
      if (method !== 'eth_requestAccounts') return;
      await counter.shop.sql(
        `update payment_orders set created_at = created_at - interval '3 hours', expires_at = now() - interval '2 seconds'
         where status = 'CREATED'`,
      );
    };
    await press(page, PAY);
    await alerted(page, /^Nothing was sent: this payment takes nothing any more\./);
    await says(page, 'The time to pay is over');
    await page.getByRole('button', { name: 'Begin again' }).waitFor();
    expect(sendings()).toBe(1);
  });

  it('and what another device has paid of it is not paid again', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    const query = `query ($token: String!) { checkoutOrder(token: $token) { receivedUnits paymentRequest { data } } }`;
    const token = await tokenOf(page);
    const read = async (): Promise<{ receivedUnits: string; paymentRequest: { data: Hex } } | undefined> =>
      (await counter.shop.house.ask<{ checkoutOrder: never }>(query, { token })).data?.checkoutOrder;
    counter.wallet.meanwhile = async (method) => {
      if (method !== 'eth_requestAccounts') return;
      counter.wallet.meanwhile = async () => undefined;
      const part = encodeFunctionData({
        abi: erc20Abi,
        functionName: 'transfer',
        args: [counter.shop.merchant.account.address, 5_000_000n],
      });
      const data = concatHex([part, slice((await read())?.paymentRequest.data ?? '0x', -16)]);
      await counter.wallet.send({ to: TEST_TOKEN_ADDRESS, data });
      await expect.poll(async () => (await read())?.receivedUnits).toBe('5000000');
    };
    await press(page, PAY);
    await alerted(page, /^Nothing was sent: what is left to pay has changed\./);
    expect(sendings()).toBe(1);
    await press(page, 'Pay 7.5 TUSD with Test Wallet');
    await says(page, 'Your payment was seen');
  });

  it('and a wallet that has left the chain since is asked for that chain’s transaction, which it refuses', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.chains.set(1, 'http://127.0.0.1:9');
    counter.wallet.edit = (call) => {
      counter.wallet.chainId = 1;
      return call;
    };
    await press(page, PAY);
    await alerted(page, /^The wallet could not do it: That is for another chain\./);
    expect(counter.wallet.sent).toEqual([]);
  });

  it('nothing is asked while nothing is heard of the payment', async () => {
    const { path } = await counter.shop.makeLink();
    counter.expected.push(/Failed to load resource/);
    let isHeard = true;
    await counter.visitor.context.route('**/graphql', async (route) => {
      const request = route.request();
      if (request.headers().accept !== 'text/event-stream') return route.continue();
      if (!isHeard) return route.abort();
      isHeard = false;
      // says it once, as it is, and breaks
      const { query, variables } = JSON.parse(request.postData() ?? '{}') as { query: string; variables: object };
      const once = query
        .replace('subscription', 'query')
        .replace('checkoutOrderChanged', 'checkoutOrderChanged: checkoutOrder');
      const { data } = await counter.shop.house.ask(once, variables as Record<string, unknown>);
      const body = `event: next\ndata: ${JSON.stringify({ data })}\n\n`;
      return route.fulfill({ contentType: 'text/event-stream', body });
    });
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await page.getByText('The connection was lost; it is being made again.').waitFor();
    expect(await page.getByRole('button', { name: PAY }).isDisabled()).toBe(true);
    await counter.visitor.context.unroute('**/graphql');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });
});

describe('the price', () => {
  it('that was shown is paid, or none: a higher one is shown first', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.getByRole('button', { name: 'Pay 12.5 TUSD with Test Wallet' }).waitFor();
    const accepts = [{ asset: TUSD, amount: '99', payTo: counter.shop.merchant.account.address }];
    await counter.shop.ask(
      `mutation ($input: UpdatePaymentLinkInput!) { updatePaymentLink(input: $input) { replayed } }`,
      { input: { paymentLinkId: id, accepts } },
    );
    await press(page, 'Pay 12.5 TUSD with Test Wallet');
    await alerted(page, /^The price has changed meanwhile, and nothing was paid\./);
    expect([sendings(), await counter.shop.ordersOf(id)]).toEqual([0, []]);
    await press(page, 'Pay 99 TUSD with Test Wallet');
    await says(page, 'Your payment was seen');
  });
});
