import { type Hex, numberToHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { openSigningChain, type SigningChain } from '../identity/signingChain.ts';
import { newWallet } from '../identity/visitor.ts';
import { type Person, signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { decide } from './inbox.ts';
import { makeLink, makeOrder, type Order } from './market.ts';

// A contract wallet is asked on its own chain whether it has signed, by a gateway that has a node there.

const HERE = 'eip155:31337/slip44:60';
const DESTINATION = `0x${'5'.repeat(40)}`;
const MANY_WEI = numberToHex(10n ** 21n);

let chain: SigningChain;
let house: TestTollhouse;
let shop: Person;
beforeAll(async () => {
  chain = await openSigningChain();
  house = await startTollhouse({ chains: [chain.setting] });
  shop = await signIn(house);
});
afterAll(async () => {
  await house.stop();
  await chain.stop();
});

/** Pays an order from a contract, in whose name anvil lets anybody speak. */
async function payFrom(address: Hex, { paymentRequest }: Order): Promise<void> {
  const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
    chain.public.request({ method, params } as never);
  await ask('anvil_setBalance', address, MANY_WEI);
  await ask('anvil_impersonateAccount', address);
  const { to, value, data } = paymentRequest;
  await ask('eth_sendTransaction', { from: address, to, value: numberToHex(BigInt(value)), data });
  await ask('anvil_mine', '0x2');
}

interface Shown {
  readonly status: string;
  readonly refunds: readonly { readonly id: string; readonly status: string; readonly message: string }[];
}

async function shownTo({ token }: Order): Promise<Shown> {
  const { data } = await house.ask<{ checkoutOrder: Shown }>(
    `query ($token: String!, $destination: Address!) { checkoutOrder(token: $token) {
      status refunds { id status message(destination: $destination) }
    } }`,
    { token, destination: DESTINATION },
  );
  if (!data) throw new Error('The payer does not see its order.');
  return data.checkoutOrder;
}

describe('a contract wallet that has paid', () => {
  it('says where its refund goes as it signs in, by whoever may sign for it', async () => {
    const owner = newWallet();
    const address = (await chain.deploy('OwnedWallet', owner.address)).toLowerCase() as Hex;
    // The worker inside has to register the chain first.
    const accepts = [{ asset: HERE, amount: '1' }];
    const { slug } = await vi.waitFor(() => makeLink({ house, merchant: shop }, { accepts }), 20_000);
    const order = await vi.waitFor(() => makeOrder({ house }, { slug, payer: address }), 20_000);
    await payFrom(address, order);
    await vi.waitFor(async () => expect((await shownTo(order)).status).toBe('PAID'), 20_000);
    const { data } = await house.ask<{ organization: { paymentOrders: { edges: { node: { id: string } }[] } } }>(
      '{ organization { paymentOrders { edges { node { id } } } } }',
      {},
      { token: shop.accessToken },
    );
    const orderId = data?.organization.paymentOrders.edges[0]?.node.id ?? encodeGlobalId('PaymentOrder', '');
    expect((await decide({ house }, shop, 'requestRefund', { orderId, amount: '0.5' })).code).toBe('OK');
    const [refund] = (await shownTo(order)).refunds;
    const say = async (by: ReturnType<typeof newWallet>, signer: string): Promise<string> => {
      const { errors } = await house.ask(
        `mutation ($input: ConfirmRefundDestinationInput!) {
          confirmRefundDestination(input: $input) { checkoutOrder { status } }
        }`,
        {
          input: {
            token: order.token,
            refundId: refund?.id,
            destination: DESTINATION,
            signer,
            signature: await by.signMessage({ message: refund?.message ?? '' }),
          },
        },
      );
      return errors[0]?.extensions.code ?? 'OK';
    };
    expect(await say(newWallet(), address)).toBe('REFUND_SIGNER_REFUSED');
    expect(await say(owner, owner.address)).toBe('REFUND_SIGNER_REFUSED');
    expect(await say(owner, address)).toBe('OK');
    expect((await shownTo(order)).refunds).toMatchObject([{ status: 'PENDING' }]);
  });
});
