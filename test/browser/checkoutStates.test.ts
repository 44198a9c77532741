import type { Page } from 'playwright-core';
import { concatHex, encodeFunctionData, erc20Abi, slice } from 'viem';
import { describe, expect, it } from 'vitest';
import { sample } from '../support/scale.ts';
import { graveFaults, overflowOf } from './support/accessibility.ts';
import { openVisitor } from './support/browser.ts';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { beginRefused, closePayment } from './support/payment.ts';
import { TUSD } from './support/shop.ts';
import { installWallet } from './support/wallet.ts';

// What a page seldom shows can be read all the same, and what wallets seldom answer is said in words.

const counter = openCounter({ viewport: { width: 320, height: 640 } });

async function looksWell(page: Page): Promise<void> {
  expect(await graveFaults(page)).toEqual([]);
  expect(await overflowOf(page)).toBe(0);
}

const alerted = (page: Page, words: RegExp | string): Promise<void> =>
  page.getByRole('alert').getByText(words).waitFor();

function answers(code: number, method: string): void {
  counter.wallet.meanwhile = async (asked) => {
    if (asked === method) throw Object.assign(new Error('It says so.'), { code });
  };
}

describe('a narrow page without grave faults', () => {
  it('asks how much, and what the merchant wants to know', async () => {
    const { path } = await counter.shop.makeLink({
      pricing: 'OPEN',
      accepts: [{ asset: TUSD, minAmount: '2', maxAmount: '50' }],
      customFields: [{ key: 'words', label: 'Your twelve secret words', type: 'TEXT' }],
    });
    const page = await counter.visitor.open(path);
    await page.getByLabel('How much, in TUSD').fill('7');
    await page.getByText(/asks this\. No merchant needs the secret words/).waitFor();
    await looksWell(page);
  });

  it('waits for a claim, and asks before it calls that off', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.getByText('Neither of these?').click();
    await press(page, 'Send it, and tell the transaction');
    await says(page, 'Waiting for your payment');
    await press(page, 'Pay in another way');
    await page.getByText(/^This calls the payment off\./).waitFor();
    await looksWell(page);
    await closePayment(counter, id);
    await says(page, 'Called off');
    await looksWell(page);
  });

  it('asks for nothing where nobody would see it, and goes on by itself when somebody does', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.getByText('Neither of these?').click();
    await press(page, 'Send it, and tell the transaction');
    await says(page, 'Waiting for your payment');
    await counter.shop.sql(`
      create function leave() returns trigger language plpgsql as $$
      begin
        new.unwatched_since := now();
        return new;
      end $$;
      create trigger leave before update on chain_incarnations for each row execute function leave()`);
    await counter.shop.sql('update chain_incarnations set updated_at = now()');
    await page.reload();
    await says(page, 'Nothing can be paid just now');
    expect(await page.getByRole('button', { name: 'Pay in another way' }).count()).toBe(0);
    await looksWell(page);
    await counter.shop.sql('drop function leave() cascade');
    await says(page, 'Waiting for your payment');
    await page.getByRole('button', { name: 'Pay in another way' }).waitFor();
  });

  it('shows a part, and that it was not all in time', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await beginRefused(counter, path);
    const args = [counter.shop.merchant.account.address, 5_000_000n] as const;
    const part = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args });
    counter.wallet.edit = ({ to, data = '0x' }) => ({ to, data: concatHex([part, slice(data, -16)]) });
    await press(page, PAY);
    await says(page, 'A part has arrived');
    await looksWell(page);
    await counter.shop.sql(
      `update payment_orders
       set created_at = created_at - interval '3 hours', expires_at = now() - interval '1 second'
       where status = 'DETECTED'`,
    );
    await counter.shop.chain.node.mine({ blocks: 1, interval: 2 });
    await says(page, 'The time to pay is over');
    await page.getByText(/^Less arrived in time than was due\./).waitFor();
    await looksWell(page);
  });

  it('gives back, and waits for a wallet', async () => {
    const { id, path } = await counter.shop.makeLink();
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
    await page.getByText('Is it not asking any more?').click();
    await looksWell(page);
    approve();
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    const [order] = await counter.shop.ordersOf(id);
    await counter.shop.ask(
      `mutation ($input: RequestRefundInput!) { requestRefund(input: $input) { refund { id } } }`,
      { input: { orderId: order?.id, amount: '2.5', reason: 'One menu was cold' } },
    );
    await page.getByText('2.5 TUSD waits for you to say where it is to go.').waitFor();
    await looksWell(page);
  });
});

describe('a wallet', () => {
  it('that does not announce itself is found where wallets used to stand', async () => {
    const { path } = await counter.shop.makeLink();
    const visitor = await openVisitor(counter.browser, counter.shop.origin);
    await visitor.context.addInitScript(() => {
      addEventListener('eip6963:announceProvider', (event) => {
        event.stopImmediatePropagation();
        Object.assign(globalThis, {
          ethereum: (event as unknown as { detail: { provider: unknown } }).detail.provider,
        });
      });
    });
    const { account } = counter.wallet;
    await installWallet(visitor.context, { account, chains: [{ chainId: 31_337, rpcUrl: counter.shop.chain.rpcUrl }] });
    try {
      const page = await visitor.open(path);
      await press(page, 'Pay 12.5 TUSD with Browser wallet');
      await says(page, 'Your payment was seen');
      expect(visitor.faults).toEqual([]);
    } finally {
      await visitor.close();
    }
  });

  const refusals = [
    [-32_002, 'Your wallet is asking you already. Open it.'],
    [4900, 'Your wallet is not connected to the network. Check it, and try again.'],
    [-32_603, 'The wallet could not do it: It says so.'],
  ] as const;
  it.each(sample(refusals, 3))(
    'that answers %d to being asked for its account is told of in words',
    async (code, words) => {
      const { path } = await counter.shop.makeLink();
      const page = await counter.visitor.open(path);
      answers(code, 'eth_requestAccounts');
      await press(page, PAY);
      await alerted(page, words);
    },
  );

  it('that says it is asking already is not asked again for the same', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    answers(-32_002, 'eth_sendTransaction');
    await press(page, PAY);
    await alerted(page, 'Your wallet is asking you already. Open it.');
    await says(page, 'Look at your wallet');
    expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
  });

  it('that does not come to the chain is asked for nothing', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.chains.set(1, 'http://127.0.0.1:9');
    counter.wallet.meanwhile = async (method) => {
      if (method === 'eth_chainId') counter.wallet.chainId = 1;
    };
    await press(page, PAY);
    await alerted(page, 'Your wallet is on another network. Switch it to Local chain, and try again.');
    expect(counter.wallet.asked).not.toContain('eth_sendTransaction');
  });
});
