import { concatHex, encodeFunctionData, erc20Abi, slice } from 'viem';
import { describe, expect, it } from 'vitest';
import { sample } from '../support/scale.ts';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { beginRefused, closePayment, tokenOf } from './support/payment.ts';

// What was asked of a wallet is remembered, so that nobody is led to pay twice, or loses what they have sent.

const counter = openCounter();

const KEEP = 'Copy the link to this payment';

async function withoutBlocks(run: () => Promise<void>): Promise<void> {
  await counter.shop.chain.node.setAutomine(false);
  try {
    await run();
  } finally {
    await counter.shop.chain.node.setAutomine(true);
  }
}

describe('what is under way', () => {
  it('is offered no second time behind a part that has arrived', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    const args = [counter.shop.merchant.account.address, 5_000_000n] as const;
    const part = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args });
    counter.wallet.edit = ({ to, data = '0x' }) => ({ to, data: concatHex([part, slice(data, -16)]) });
    await press(page, PAY);
    await says(page, 'A part has arrived');
    counter.wallet.edit = (call) => call;
    await withoutBlocks(async () => {
      await press(page, 'Pay 7.5 TUSD with Test Wallet');
      await says(page, 'Sent');
      expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
      await page.reload();
      await says(page, 'Sent');
      expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
    });
    await confirm(counter);
    await says(page, 'Paid');
    expect(counter.wallet.sent).toHaveLength(2);
  });

  it('is remembered from the moment that a wallet is asked: by the page that is loaded again, and by other tabs', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    let approve = (): void => undefined;
    const approved = new Promise<void>((resolve) => {
      approve = resolve;
    });
    counter.wallet.meanwhile = async (method) => {
      if (method === 'eth_sendTransaction') await approved;
    };
    await press(page, PAY);
    await says(page, 'Look at your wallet');
    await page.reload();
    await says(page, 'Look at your wallet');
    await page.getByText(/^Your wallet may still be asking you to pay/).waitFor();
    const other = await counter.visitor.open(`${path}#order=${await tokenOf(page)}`);
    await says(other, 'Look at your wallet');
    for (const tab of [page, other]) {
      expect(await tab.getByRole('button', { name: PAY }).count()).toBe(0);
      expect(await tab.getByRole('button', { name: 'Pay in another way' }).count()).toBe(0);
    }
    approve();
    await says(page, 'Your payment was seen');
    expect(counter.wallet.sent).toHaveLength(1);
  });

  it('and was not, after all, can be paid again', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.meanwhile = (method) =>
      method === 'eth_sendTransaction' ? new Promise(() => undefined) : Promise.resolve();
    await press(page, PAY);
    await says(page, 'Look at your wallet');
    await page.reload();
    counter.wallet.meanwhile = async () => undefined;
    await page.getByText('Is it not asking any more?').click();
    await press(page, 'Pay again');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });

  it('and failed on the chain behind the next page is told as failed', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.edit = (call) => ({ ...call, gas: 30_000n });
    await withoutBlocks(async () => {
      await press(page, PAY);
      await says(page, 'Sent');
      await page.reload();
      await says(page, 'Sent');
    });
    await counter.shop.chain.node.mine({ blocks: 1 });
    await page
      .getByRole('alert')
      .getByText(/^The network has refused that transaction/)
      .waitFor();
    counter.wallet.edit = (call) => call;
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });

  it('is not lost when the payment is called off: its transaction stays there', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await withoutBlocks(async () => {
      await press(page, PAY);
      await says(page, 'Sent');
      await closePayment(counter, id);
      await says(page, 'Called off');
      await page.getByText(/^Your wallet has sent something for it/).waitFor();
      await page.getByText(counter.wallet.sent[0] ?? '', { exact: true }).waitFor();
    });
  });
});

describe('a reorganization that takes a payment back', () => {
  it('has no wallet asked by the page itself', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    const query = `query ($token: String!) { checkoutOrder(token: $token) { paymentRequest { to data } } }`;
    const { data } = await counter.shop.house.ask<{ checkoutOrder: { paymentRequest: never } }>(query, {
      token: await tokenOf(page),
    });
    await counter.wallet.send(data?.checkoutOrder.paymentRequest as never);
    await says(page, 'Your payment was seen');
    const asked = [...counter.wallet.asked];
    await counter.shop.chain.node.request({ method: 'anvil_reorg', params: [1, []] } as never);
    await counter.shop.chain.node.mine({ blocks: 1 });
    await page.getByRole('button', { name: PAY }).waitFor();
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect(counter.wallet.asked).toEqual([...asked, 'eth_requestAccounts', 'eth_sendTransaction']);
  });
});

describe('a payment that only a claim tells', () => {
  it('says so, and has the transaction of the page’s own wallet filled in', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.getByText('Neither of these?').click();
    await press(page, 'Send it, and tell the transaction');
    await page.getByText(/^Send it, and then tell the transaction below/).waitFor();
    await press(page, PAY);
    await says(page, 'Sent');
    await page.getByText(/^Now sign below that it was for this payment/).waitFor();
    const told = page.getByLabel('The transaction that you have sent');
    await expect.poll(() => told.inputValue()).toBe(counter.wallet.sent[0]);
    const seen = page.getByRole('heading', { level: 2, name: 'Your payment was seen' });
    const unseen = page.getByText(/^No such transaction to the merchant was seen yet/);
    do {
      await press(page, 'Sign with Test Wallet');
      await seen.or(unseen).waitFor();
    } while (!(await seen.isVisible()));
  });
});

describe('the way back to a payment', () => {
  it('is offered from its first moment, and when it is over', async () => {
    const { id, path } = await counter.shop.makeLink({ maxUses: 1 });
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await says(page, 'Waiting for your payment');
    await page.getByRole('button', { name: KEEP }).waitFor();
    const token = await tokenOf(page);
    await page.close();
    const again = await counter.visitor.open(`${path}#order=${token}`);
    await says(again, 'Waiting for your payment');
    await closePayment(counter, id);
    await says(again, 'Called off');
    await again.getByRole('button', { name: KEEP }).waitFor();
  });

  it('says that somebody else may have begun it, and offers one of one’s own', async () => {
    const { id, path } = await counter.shop.makeLink();
    const first = await beginRefused(counter, path);
    expect(await first.getByText(/^A link led to this payment/).count()).toBe(0);
    const second = await counter.visitor.open(`${path}#order=${await tokenOf(first)}`);
    await second.getByText(/^A link led to this payment/).waitFor();
    await press(second, 'Begin one of my own');
    await press(second, PAY);
    await says(second, 'Your payment was seen');
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['CREATED', 'CONFIRMING']);
  });

  it('leads to it in a tab that shows the page already', async () => {
    const { path } = await counter.shop.makeLink();
    const first = await beginRefused(counter, path);
    const token = await tokenOf(first);
    const second = await counter.visitor.open(path);
    await second.getByRole('button', { name: PAY }).waitFor();
    const before = counter.wallet.asked.length;
    await second.goto(`${path}#order=${token}`);
    await says(second, 'Waiting for your payment');
    expect(second.url()).toBe(`${counter.shop.origin}${path}`);
    expect(counter.wallet.asked).toHaveLength(before);
  });
});

describe('a clock that is wrong', () => {
  it.each(sample([2, -2], 2))('by %d hours ends nothing: the gateway does', async (hours) => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.context.newPage();
    await page.addInitScript((off) => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + off;
    }, hours * 3_600_000);
    await page.goto(path);
    await press(page, 'Pay from a phone or an exchange');
    await says(page, 'Waiting for your payment');
    await page.getByRole('button', { name: PAY }).waitFor();
    expect(await page.getByText('The time to pay is over').count()).toBe(0);
    await counter.shop.sql(
      `update payment_orders
       set created_at = created_at - interval '3 hours', expires_at = now() - interval '1 second'
       where status = 'CREATED'`,
    );
    await counter.shop.chain.node.mine({ blocks: 1, interval: 2 });
    await says(page, 'The time to pay is over');
    expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
    await page.getByRole('button', { name: 'Begin again' }).waitFor();
  });
});
