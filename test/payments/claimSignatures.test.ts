import { setTimeout as sleep } from 'node:timers/promises';
import { type Abi, encodeDeployData, type Hex, type PrivateKeyAccount } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import ownedWallet from '../identity/contracts/OwnedWallet.json' with { type: 'json' };
import { type Person, signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { makeLink, makeOrder, newPayer, type Order, type Payer, transferCall } from './market.ts';

// With a worker and nodes of its own: whether a signature is a contract's, the chain alone can say.

let house: TestTollhouse;
let merchant: Person;
let exchange: Payer;
let payer: Payer;
let slug: string;

const chain = () => {
  if (!house.chain) throw new Error('The house has no chain.');
  return house.chain;
};

beforeAll(async () => {
  house = await startTollhouse({ chain: true });
  merchant = await signIn(house);
  exchange = await newPayer({ chain: chain() });
  payer = await newPayer({ chain: chain() });
  ({ slug } = await makeLink({ house, merchant }));
});
afterAll(() => house.stop());

/** Asks again until it answers; the worker reads and settles twice a second. */
async function until<Answer>(ask: () => Promise<Answer | null | undefined>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer != null) return answer;
    await chain().node.mine({ blocks: 1 });
    await sleep(100);
  }
}

const newOrder = () => until(() => makeOrder({ house }, { slug, payer: payer.address }).catch(() => null));

async function claim(order: Order, transactionHash: Hex, signer: PrivateKeyAccount, of = order) {
  const { data } = await house.ask<{ checkoutOrder: { claimMessage: string } }>(
    'query ($token: String!, $hash: Hex!) { checkoutOrder(token: $token) { claimMessage(transactionHash: $hash) } }',
    { token: of.token, hash: transactionHash },
  );
  const signature = await signer.signMessage({ message: data?.checkoutOrder.claimMessage ?? '' });
  const { errors } = await house.ask(
    'mutation ($input: ClaimPaymentInput!) { claimPayment(input: $input) { checkoutOrder { status } } }',
    { input: { token: order.token, transactionHash, signature } },
  );
  return errors[0]?.extensions?.code ?? 'CLAIMED';
}

/** The answer once the transaction has been read. */
const claimSeen: typeof claim = (...asked) =>
  until(async () => {
    const code = await claim(...asked);
    return code === 'TRANSFER_NOT_SEEN' ? null : code;
  });

const isPaid = (order: Order) =>
  until(async () => {
    const { data } = await house.ask<{ checkoutOrder: { status: string } }>(
      'query ($token: String!) { checkoutOrder(token: $token) { status } }',
      { token: order.token },
    );
    return ['PAID', 'FINAL'].includes(data?.checkoutOrder.status ?? '') || null;
  });

describe('the signature of a claim', () => {
  it('is nobody’s but the sender’s, and of this order and no other', async () => {
    const order = await newOrder();
    const other = await newOrder();
    const { hash } = await exchange.transfer(merchant.account.address, 12_500_000n);
    expect(await claimSeen(order, hash, payer.account)).toBe('CLAIM_NOT_SIGNED');
    expect(await claim(order, hash, exchange.account, other)).toBe('CLAIM_NOT_SIGNED');
    expect(await claim(order, hash, exchange.account)).toBe('CLAIMED');
    expect(await isPaid(order)).toBe(true);
  });

  it('is a contract wallet’s, when the contract says so', async () => {
    const order = await newOrder();
    const args = [exchange.account.address];
    const { hash: deployed } = await exchange.send({
      data: encodeDeployData({ abi: ownedWallet.abi as Abi, bytecode: ownedWallet.bytecode as Hex, args }),
    });
    const { contractAddress } = await chain().public.getTransactionReceipt({ hash: deployed });
    const wallet = contractAddress as Hex;
    await exchange.transfer(wallet, 12_500_000n);
    await chain().node.setBalance({ address: wallet, value: 10n ** 18n });
    await chain().node.impersonateAccount({ address: wallet });
    const hash = await chain().node.sendUnsignedTransaction({
      from: wallet,
      to: TEST_TOKEN_ADDRESS,
      data: transferCall(merchant.account.address, 12_500_000n),
    });
    expect(await claimSeen(order, hash, payer.account)).toBe('CLAIM_NOT_SIGNED');
    expect(await claim(order, hash, exchange.account)).toBe('CLAIMED');
    expect(await isPaid(order)).toBe(true);
  });
});
