import { expect, it } from 'vitest';
import { confirm, openCounter, PAY, press, says } from './support/counter.ts';

// What the gateway knows of the chain beside the node that it reads from.
const CHAIN = {
  chainId: 31_337,
  name: 'Local chain',
  testnet: true,
  rpcUrl: 'http://127.0.0.1:9',
  publicRpcUrl: 'http://127.0.0.1:9',
  explorerUrl: 'https://scan.example/',
  assets: [{ symbol: 'ETH', name: 'Ether', decimals: 18 }],
};

const counter = openCounter({}, { CHAINS: JSON.stringify([CHAIN]) });

it('a receipt leads to where the chain’s transactions are looked up, and a wallet is told of it', async () => {
  const { path } = await counter.shop.makeLink();
  counter.wallet.chains.clear();
  counter.wallet.chainId = 1;
  const page = await counter.visitor.open(path);
  await press(page, PAY);
  await says(page, 'Your payment was seen');
  await confirm(counter);
  await says(page, 'Paid');
  expect(counter.wallet.told).toMatchObject([{ blockExplorerUrls: ['https://scan.example'] }]);
  const hash = counter.wallet.sent[0] ?? '';
  const link = page.getByRole('link', { name: hash });
  expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual([
    `https://scan.example/tx/${hash}`,
    'noopener noreferrer',
  ]);
});
