import { describe, expect, it } from 'vitest';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';
import { ETH } from './support/shop.ts';
import { emit } from './support/wallet.ts';

const counter = openCounter();

const SENDS = ['eth_requestAccounts', 'eth_requestAccounts', 'eth_sendTransaction'];

describe('a payer with a wallet', () => {
  it('pays in a token, and sees each step without the page being loaded again', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    await page.evaluate(() => Object.assign(globalThis, { neverLoadedAgain: true }));
    await press(page, 'Pay 12.5 TUSD with Test Wallet');
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    expect(await page.evaluate(() => 'neverLoadedAgain' in globalThis)).toBe(true);
    expect(counter.wallet.asked).toEqual(SENDS);
    await page.getByText(counter.wallet.sent[0] ?? '', { exact: true }).waitFor();
    expect(await page.title()).toMatch(/^Lunch for two – /);
    expect(await page.getByRole('button', { name: PAY }).count()).toBe(0);
  });

  it('pays in the chain’s own coin', async () => {
    const { path } = await counter.shop.makeLink({ accepts: [{ asset: ETH, amount: '0.25' }] });
    const page = await counter.visitor.open(path);
    await press(page, 'Pay 0.25 ETH with Test Wallet');
    await says(page, 'Your payment was seen');
    await confirm(counter);
    await says(page, 'Paid');
    const payTo = counter.shop.merchant.account.address;
    expect(await counter.shop.chain.public.getBalance({ address: payTo })).toBe(25n * 10n ** 16n);
  });

  it('who refuses to show an account has begun nothing, and can try again', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.refused.add('eth_requestAccounts');
    await press(page, PAY);
    await page.getByRole('alert').getByText('You have refused in the wallet. Nothing was paid.').waitFor();
    expect(await counter.shop.ordersOf(id)).toEqual([]);
    counter.wallet.refused.clear();
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });

  it('who refuses to send is told that nothing was paid, and pays the same order later', async () => {
    const { id, path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.refused.add('eth_sendTransaction');
    await press(page, PAY);
    await page.getByRole('alert').getByText('You have refused in the wallet. Nothing was paid.').waitFor();
    await says(page, 'Waiting for your payment');
    expect(counter.wallet.sent).toEqual([]);
    counter.wallet.refused.clear();
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect((await counter.shop.ordersOf(id)).map(({ status }) => status)).toEqual(['CONFIRMING']);
  });

  it('whose wallet is on another chain is asked to switch, and then to send', async () => {
    const { path } = await counter.shop.makeLink();
    counter.wallet.chains.set(1, 'http://127.0.0.1:9');
    counter.wallet.chainId = 1;
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect(counter.wallet.asked).toEqual([...SENDS.slice(0, 2), 'wallet_switchEthereumChain', 'eth_sendTransaction']);
  });

  it('who refuses to switch has sent nothing', async () => {
    const { path } = await counter.shop.makeLink();
    counter.wallet.chains.set(1, 'http://127.0.0.1:9');
    counter.wallet.chainId = 1;
    counter.wallet.refused.add('wallet_switchEthereumChain');
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await page.getByRole('alert').getByText('You have refused in the wallet. Nothing was paid.').waitFor();
    expect(counter.wallet.asked).not.toContain('eth_sendTransaction');
  });

  it('whose wallet does not know the chain has it told, by the node that wallets may use', async () => {
    const { path } = await counter.shop.makeLink();
    counter.wallet.chains.clear();
    counter.wallet.chainId = 1;
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Your payment was seen');
    expect(counter.wallet.told).toEqual([
      {
        chainId: '0x7a69',
        chainName: 'Local chain',
        nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
        rpcUrls: [counter.shop.chain.rpcUrl],
      },
    ]);
    expect(counter.wallet.asked.filter((method) => method === 'wallet_switchEthereumChain')).toHaveLength(2);
  });

  it('who has nothing is told so', async () => {
    const { address } = counter.wallet.account;
    await counter.shop.chain.node.setBalance({ address, value: 0n });
    const { path } = await counter.shop.makeLink({ accepts: [{ asset: ETH, amount: '1' }] });
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await page
      .getByRole('alert')
      .getByText(/^There is not enough in this wallet/)
      .waitFor();
    await says(page, 'Waiting for your payment');
  });

  it('who has changed the account meanwhile does not pay an order of another one', async () => {
    const { path } = await counter.shop.makeLink();
    counter.wallet.refused.add('eth_sendTransaction');
    const page = await counter.visitor.open(path);
    await press(page, PAY);
    await says(page, 'Waiting for your payment');
    await page
      .getByRole('alert')
      .getByText(/refused/)
      .waitFor();
    counter.wallet.refused.clear();
    counter.wallet.changeAccount();
    await emit(page, 'accountsChanged', [counter.wallet.account.address]);
    await press(page, PAY);
    await page
      .getByRole('alert')
      .getByText(/^This payment is for the wallet 0x/)
      .waitFor();
    expect(counter.wallet.sent).toEqual([]);
    await counter.shop.fund(counter.wallet);
    await press(page, 'Pay in another way');
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });

  it('whose transaction fails on the chain is told that nothing was paid', async () => {
    const { path } = await counter.shop.makeLink();
    const page = await counter.visitor.open(path);
    counter.wallet.edit = (call) => ({ ...call, gas: 30_000n });
    await press(page, PAY);
    await page
      .getByRole('alert')
      .getByText(/^The network has refused that transaction/)
      .waitFor();
    counter.wallet.edit = (call) => call;
    await press(page, PAY);
    await says(page, 'Your payment was seen');
  });
});
