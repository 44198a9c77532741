import { describe, expect, it } from 'vitest';
import { sample } from '../support/scale.ts';
import { openVisitor } from './support/browser.ts';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { beginRefused, tokenOf } from './support/payment.ts';

const counter = openCounter();

describe('a page that is loaded again', () => {
  it('goes on with the order that it was at, and begins no second one', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    const token = await tokenOf(page);
    await page.reload();
    await says(page, 'Waiting for your payment');
    expect(await tokenOf(page)).toBe(token);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect(await counter.shop.ordersOf(id)).toHaveLength(1);
  });

  it('in the middle of a payment still says that it was sent, and then that it is paid', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await counter.shop.chain.node.setAutomine(false);
    try {
      await press(page, PAY);
      await says(page, 'Sent');
      await page.reload();
      await says(page, 'Sent');
      await page.getByText(counter.wallet.sent[0] ?? '', { exact: true }).waitFor();
      expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
    } finally {
      await counter.shop.chain.node.setAutomine(true);
    }
    await confirm(counter);
    await says(page, 'Paid');
    await page.reload();
    await says(page, 'Paid');
    expect(counter.wallet.sent).toHaveLength(1);
  });

  it('keeps the payer’s handle out of its address and of what the gateway is asked for by address', async () => {
    const { path } = await counter.shop.makeLink();
    const asked: string[] = [];
    counter.visitor.context.on('request', (request) => asked.push(request.url()));
    const page = await beginRefused(counter, path);
    await page.reload();
    await says(page, 'Waiting for your payment');
    const token = await tokenOf(page);
    expect(token).toMatch(/^[\w-]{20,}$/);
    expect(page.url()).toBe(`${counter.shop.origin}${path}`);
    expect(asked.filter((url) => url.includes(token))).toEqual([]);
  });

  it.each(sample(['{"token":7}', 'nonsense', '{"token":"../../x"}', '{"token":"AAAAAAAAAAAAAAAAAAAAAA"}'], 4))(
    'begins anew where the tab keeps %s',
    async (kept) => {
      const { path } = await counter.shop.makeLink();
      const page = await counter.visitor.open('/pay/elsewhere').then(async (other) => {
        await other.evaluate(
          ([name, value]) => {
            const { sessionStorage } = globalThis as unknown as {
              sessionStorage: { setItem(name: string, value: string): void };
            };
            sessionStorage.setItem(name ?? '', value ?? '');
          },
          [`tollhouse-payment ${path.slice('/pay/'.length)}`, kept],
        );
        await other.goto(path);
        return other;
      });
      counter.expected.push(/404/);
      if (kept.includes('AAAA')) await press(page, 'Begin again');
      await page.getByRole('button', { name: PAY }).waitFor();
    },
  );
});

describe('a page that hears nothing of its payment', () => {
  it('says so, and shows what has happened meanwhile once it is connected again', async () => {
    const { path } = await counter.shop.makeLink();
    counter.expected.push(/Failed to load resource/);
    const { context } = counter.visitor;
    await context.route('**/graphql', (route) =>
      route.request().headers().accept === 'text/event-stream' ? route.abort() : route.continue(),
    );
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await page.getByText('The connection was lost; it is being made again.').waitFor();
    await context.unroute('**/graphql');
    await says(page, 'Your payment was seen');
    expect(await page.getByText('The connection was lost; it is being made again.').count()).toBe(0);
  });
});

describe('the link to a payment', () => {
  it('shows it to whoever has it, elsewhere too, and leaves the address at once', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    const token = await tokenOf(page);
    const friend = await openVisitor(counter.browser, counter.shop.origin);
    try {
      const theirs = await friend.open(`${path}#order=${token}`);
      await says(theirs, 'Paid');
      await theirs.getByText(counter.wallet.sent[0] ?? '', { exact: true }).waitFor();
      expect(theirs.url()).toBe(`${counter.shop.origin}${path}`);
      expect(friend.faults).toEqual([]);
    } finally {
      await friend.close();
    }
  });

  it('shows it when the link that it is of is gone, and says nothing else of that', async () => {
    const { id, path } = await counter.shop.makeLink({ title: 'Gone tomorrow' });
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    await counter.shop.ask(
      `mutation ($input: DeletePaymentLinkInput!) { deletePaymentLink(input: $input) { replayed } }`,
      { input: { paymentLinkId: id } },
    );
    counter.expected.push(/404/);
    const token = await tokenOf(page);
    const again = await counter.visitor.open(`${path}#order=${token}`);
    await says(again, 'Paid');
    await again.getByText(counter.wallet.sent[0] ?? '', { exact: true }).waitFor();
    expect(await again.getByText('Gone tomorrow').count()).toBe(0);
  });

  it('is copied by a button', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    await counter.visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await press(page, 'Copy the link to this payment');
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate(() =>
      (
        globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }
      ).navigator.clipboard.readText(),
    );
    expect(copied).toBe(`${counter.shop.origin}${path}#order=${await tokenOf(page)}`);
  });

  it.each(sample(['#order=', '#order=<script>', '#order=AAAAAAAAAAAAAAAAAAAAAA', '#something'], 4))(
    'that is none, %s, does no harm',
    async (fragment) => {
      const { path } = await counter.shop.makeLink();
      const page = await counter.visitor.open(`${path}${fragment}`);
      if (fragment.includes('AAAA')) await press(page, 'Begin again');
      await page.getByRole('button', { name: PAY }).waitFor();
    },
  );
});

describe('two tabs', () => {
  it('of one payment: the other one hears that it was sent, offers it no more, and shows it paid', async () => {
    const { path } = await counter.shop.makeLink();
    const first = await beginRefused(counter, path);
    const second = await counter.visitor.open(`${path}#order=${await tokenOf(first)}`);
    await second.getByRole('button', { name: PAY }).waitFor();
    await counter.shop.chain.node.setAutomine(false);
    try {
      await press(first, PAY);
      await says(second, 'Sent');
      expect(await second.getByRole('button', { name: PAY }).count()).toBe(0);
    } finally {
      await counter.shop.chain.node.setAutomine(true);
    }
    await confirm(counter);
    await Promise.all([says(first, 'Paid'), says(second, 'Paid')]);
    expect(counter.wallet.sent).toHaveLength(1);
  });

  it('of one link have a payment each: what pays one leaves the other as it was', async () => {
    const { id, path } = await counter.shop.makeLink();
    const first = await beginRefused(counter, path);
    const second = await beginRefused(counter, path);
    await press(first, PAY);
    await says(first, 'Your payment was seen');
    await confirm(counter);
    await says(first, 'Paid');
    await says(second, 'Waiting for your payment');
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['PAID', 'CREATED']);
  });
});

describe('who pays twice', () => {
  it('is told so, and that the merchant sees it', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await counter.shop.chain.node.setAutomine(false);
    try {
      await press(page, PAY);
      await says(page, 'Sent');
      await page.getByText('Did it fail?').click();
      await press(page, 'Pay again');
      await press(page, PAY);
      await expect.poll(() => counter.wallet.sent.length).toBe(2);
    } finally {
      await counter.shop.chain.node.setAutomine(true);
    }
    await confirm(counter);
    await says(page, 'Paid');
    await page.getByText(/^It was paid twice\./).waitFor();
    expect(await counter.shop.ordersOf(id)).toMatchObject([{ status: 'PAID', exceptions: ['DUPLICATE'] }]);
  });
});
