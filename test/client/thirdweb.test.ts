import { signLoginPayload } from 'thirdweb/auth';
import { getAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTollhouseClient } from '../../src/client/tollhouseClient.ts';
import { newAddress, startThirdwebbed, type ThirdwebbedHouse } from '../identity/thirdwebbed.ts';
import { codeOf, WHO } from './visitor.ts';

let house: ThirdwebbedHouse;
beforeAll(async () => {
  house = await startThirdwebbed();
});
afterAll(() => house.stop());

describe('signing in with thirdweb', () => {
  it('takes a payload that its library has signed', async () => {
    const client = createTollhouseClient({ url: house.url });
    const account = privateKeyToAccount(generatePrivateKey());
    const payload = await client.getThirdwebPayload({ address: account.address });
    const signed = await signLoginPayload({ payload, account: account as never });
    const session = await client.signInWithThirdweb({ payload, signature: signed.signature });
    expect(session.wallet).toBe(account.address);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(await codeOf(client.signInWithThirdweb({ payload, signature: signed.signature }))).toBe(
      'SIWE_NONCE_INVALID',
    );
  });

  it('takes an in-app wallet’s token, and none that thirdweb does not know', async () => {
    const client = createTollhouseClient({ url: house.url });
    const address = newAddress();
    const authToken = house.thirdweb.tokenOf({ address, profiles: [] });
    expect((await client.signInWithThirdweb({ authToken })).wallet).toBe(getAddress(address));
    expect(await codeOf(client.signInWithThirdweb({ authToken: 'eyJ.unknown.sig' }))).toBe('THIRDWEB_TOKEN_INVALID');
    expect(client.session?.wallet).toBe(getAddress(address));
  });

  it('tries again when thirdweb could not be asked, and gives up when that goes on', async () => {
    const client = createTollhouseClient({ url: house.url, retries: 1 });
    const authToken = house.thirdweb.tokenOf({ address: newAddress(), profiles: [] });
    house.thirdweb.mood = 'broken';
    const before = house.thirdweb.asked;
    await expect(client.signInWithThirdweb({ authToken })).rejects.toMatchObject({
      code: 'THIRDWEB_UNAVAILABLE',
      retryable: true,
    });
    expect(house.thirdweb.asked - before).toBe(2);
    house.thirdweb.mood = 'well';
    expect((await client.signInWithThirdweb({ authToken })).isNewUser).toBe(true);
  });
});
