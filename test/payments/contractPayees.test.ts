import { createTestClient, http } from 'viem';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSigningChain, presentAs, type SigningChain } from '../identity/signingChain.ts';
import { codeOf, newWallet } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const HERE = 'eip155:31337/slip44:60';
const THERE = 'eip155:31338/slip44:60';

let chain: SigningChain;
let other: SigningChain;
let house: TestTollhouse;
beforeAll(async () => {
  [chain, other] = await Promise.all([openSigningChain(31_337), openSigningChain(31_338)]);
  house = await startTollhouse({ chains: [chain.setting, other.setting] });
  await vi.waitFor(async () => {
    const { data } = await house.ask<{ chains: unknown[] }>('{ chains { chainId } }');
    expect(data?.chains).toHaveLength(2);
  }, 20_000);
});
afterAll(async () => {
  await house.stop();
  await Promise.all([chain.stop(), other.stop()]);
});

/** The code of making a link that takes payments in these assets, at this account. */
async function linkCode(token: string | undefined, payTo: string, assets: readonly string[]): Promise<string> {
  const answer = await house.ask(
    'mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { id } } }',
    { input: { title: 'Lunch', accepts: assets.map((asset) => ({ asset, amount: '1', payTo })) } },
    { token: token ?? '' },
  );
  expect(answer.errors[0]?.extensions.facts ?? { payTo: payTo.toLowerCase() }).toEqual({ payTo: payTo.toLowerCase() });
  return codeOf(answer);
}

describe('a contract wallet that was proved', () => {
  it('is paid on its own chain, and on no other, where its address may be somebody else’s', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const { signedIn } = await presentAs(house, address, (message) => owner.signMessage({ message }));
    expect(await linkCode(signedIn?.accessToken, address, [HERE])).toBe('OK');
    expect(await linkCode(signedIn?.accessToken, address, [THERE])).toBe('PAYEE_NOT_PROVED');
    expect(await linkCode(signedIn?.accessToken, address, [HERE, THERE])).toBe('PAYEE_NOT_PROVED');
  });

  it('is not paid where it has no code, since what is sent there may be lost', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const { signedIn } = await presentAs(house, address, (message) => owner.signMessage({ message }));
    const node = createTestClient({ mode: 'anvil', transport: http(chain.setting.rpcUrl) });
    const code = await chain.public.getCode({ address });
    await node.setCode({ address, bytecode: '0x' });
    const ask = (input: object) =>
      house.ask(
        'mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { id } } }',
        { input },
        { token: signedIn?.accessToken ?? '' },
      );
    const link = { title: 'Lunch', accepts: [{ asset: HERE, amount: '1', payTo: address }] };
    const refused = await ask(link);
    expect(codeOf(refused)).toBe('PAYEE_REFUSED');
    expect(refused.errors[0]?.extensions.facts).toMatchObject({ chainId: 31_337, reason: 'NO_CODE' });
    await node.setCode({ address, bytecode: code ?? '0x' });
    expect(codeOf(await ask(link))).toBe('OK');
  });

  it('does not make its owner’s own account one that was proved', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const { signedIn } = await presentAs(house, address, (message) => owner.signMessage({ message }));
    expect(await linkCode(signedIn?.accessToken, owner.address, [HERE])).toBe('PAYEE_NOT_PROVED');
  });
});

describe('an account of its own key that was proved', () => {
  it('is paid on every chain', async () => {
    const account = newWallet();
    const { signedIn } = await presentAs(house, account.address, (message) => account.signMessage({ message }));
    expect(await linkCode(signedIn?.accessToken, account.address, [HERE, THERE])).toBe('OK');
  });
});
