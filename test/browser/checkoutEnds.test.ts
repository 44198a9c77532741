import { describe, expect, it } from 'vitest';
import { openCounter, PAY, press, says } from './support/counter.ts';

const counter = openCounter();

/** Lets the time of every open order pass, on the database's clock and on the chain's. */
async function letTimePass(): Promise<void> {
  await counter.shop.sql(
    `update payment_orders
     set created_at = created_at - interval '3 hours', expires_at = now() - interval '1 second'
     where status = 'CREATED'`,
  );
  await counter.shop.chain.node.mine({ blocks: 1, interval: 2 });
}

const change = (field: string, input: object): Promise<unknown> =>
  counter.shop.ask(
    `mutation ($input: ${field.replace(/^./, (first) => first.toUpperCase())}Input!) { ${field}(input: $input) { replayed } }`,
    { input },
  );

describe('an order whose time is over', () => {
  it('says so by itself, offers nothing to send, and can be begun again', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await says(page, 'Waiting for your payment');
    await letTimePass();
    await says(page, 'The time to pay is over');
    expect(await page.getByRole('img', { name: /QR code/ }).count()).toBe(0);
    expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
    await page.reload();
    await says(page, 'The time to pay is over');
    await press(page, 'Begin again');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['EXPIRED', 'CONFIRMING']);
  });

  it('that was called off elsewhere is told as called off', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await says(page, 'Waiting for your payment');
    const [order] = await counter.shop.ordersOf(id);
    await change('cancelPaymentOrder', { id: order?.id });
    await says(page, 'Called off');
    await page.getByRole('button', { name: 'Begin again' }).waitFor();
  });

  it('is not awaited by a payer who pays in another way', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await press(page, 'Pay in another way');
    await page.getByText(/^This calls the payment off\./).waitFor();
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['CREATED']);
    await press(page, 'I have sent nothing: call it off');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['CANCELED', 'CONFIRMING']);
  });
});

describe('a link that takes no payments', () => {
  it('shows why, and the merchant’s own words', async () => {
    const { id, path } = await counter.shop.makeLink({ inactiveMessage: 'Back on Monday.\nSee you then!' });
    await change('pausePaymentLink', { paymentLinkId: id });
    const page = await counter.visitor.open(path);
    await says(page, 'Not open for now');
    await page.getByText('Back on Monday.').waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
    await change('archivePaymentLink', { paymentLinkId: id });
    await page.reload();
    await says(page, 'Closed');
  });

  it('because its time is over, or is still to come, says which', async () => {
    const soon = new Date(Date.now() + 864e5).toISOString();
    const scheduled = await counter.shop.makeLink({ startsAt: soon });
    const page = await counter.visitor.open(scheduled.path);
    await says(page, 'Not open yet');
    await page.locator(`time[datetime="${soon}"]`).waitFor();
    const expired = await counter.shop.makeLink({ expiresAt: soon });
    await counter.shop.sql(
      `update payment_links set expires_at = now() - interval '1 minute' where slug = $1`,
      expired.slug,
    );
    await page.goto(expired.path);
    await says(page, 'Closed');
    await page.getByText('The time for payments here is over.').waitFor();
  });

  it('because somebody else was faster, says so, before and after', async () => {
    const { path } = await counter.shop.makeLink({ maxUses: 1 });
    const [first, second] = [await counter.visitor.open(path), await counter.visitor.open(path)];
    await first.getByRole('button', { name: PAY }).waitFor();
    await press(second, PAY);
    await says(second, 'Your payment was seen');
    await press(first, PAY);
    await first
      .getByRole('alert')
      .getByText(/^It has been paid, or is about to be, as often as it may/)
      .waitFor();
    const third = await counter.visitor.open(path);
    await says(third, 'All taken');
  });

  it('still shows the payment of whoever has begun one', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await press(page, 'Pay from a phone or an exchange');
    await says(page, 'Waiting for your payment');
    await change('pausePaymentLink', { paymentLinkId: id });
    await page.reload();
    await says(page, 'Waiting for your payment');
    await page.getByRole('img', { name: /QR code/ }).waitFor();
  });
});

describe('what is not there', () => {
  it('is said in the same words, whether it never was, is a draft, or was deleted', async () => {
    const draft = await counter.shop.makeLink({ status: 'DRAFT' });
    const deleted = await counter.shop.makeLink();
    await change('deletePaymentLink', { paymentLinkId: deleted.id });
    counter.expected.push(/404/);
    const texts = [];
    for (const path of ['/pay/never-was-there', '/pay/%E0%A4%A', draft.path, deleted.path]) {
      const page = await counter.visitor.open(path);
      await page.getByRole('heading', { level: 1, name: 'There is nothing to pay here' }).waitFor();
      texts.push(await page.locator('body').innerText());
    }
    expect(new Set(texts).size).toBe(1);
  });

  it('when the gateway does not answer is not said, but that it can be tried again', async () => {
    const { path } = await counter.shop.makeLink();
    const { context } = counter.visitor;
    counter.expected.push(/Failed to load resource/);
    await context.route('**/graphql', (route) => route.abort());
    const page = await counter.visitor.open(path);
    await page.getByRole('heading', { level: 1, name: 'This page cannot be reached just now' }).waitFor();
    await context.unroute('**/graphql');
    await press(page, 'Try again');
    await page.getByRole('button', { name: PAY }).waitFor();
  });
});
