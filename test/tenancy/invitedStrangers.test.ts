import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAddress, startThirdwebbed, submitThirdweb, type ThirdwebbedHouse } from '../identity/thirdwebbed.ts';
import {
  type Attempt,
  codeOf,
  enterHouse,
  getChallenge,
  newWallet,
  type SignedIn,
  sql,
  type Wallet,
} from '../identity/visitor.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { accept, invitationsOf, invite, tokenFor } from './inviter.ts';
import { tokenOf } from './memberChanges.ts';

let house: ThirdwebbedHouse;
let tenant: Tenant;
let owner: string;

beforeAll(async () => {
  house = await startThirdwebbed({ settings: { SIGN_UP: 'invite-only' } });
  [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1 })).tenants as [Tenant];
  owner = await tokenOf(house, tenant, 'OWNER');
});
afterAll(() => house.stop());

let readers = 0;

async function mailed(): Promise<string> {
  const email = `stranger${++readers}@example.org`;
  const { code } = await invite(house, owner, { email, role: 'MEMBER' });
  expect(code).toBe('OK');
  return tokenFor(house, email);
}

/** Signs in as a stranger, perhaps with the token of an invitation. */
async function enter(wallet: Wallet, invitationToken?: string): Promise<Pick<Attempt, 'code' | 'signedIn'>> {
  const { message } = await getChallenge(house, { address: wallet.address });
  const answer = await house.ask<{ signInWithEthereum: SignedIn }>(
    `mutation ($input: SignInWithEthereumInput!) { signInWithEthereum(input: $input) {
      accessToken refreshToken expiresAt isNewUser viewer { user { id } organization { id } }
    } }`,
    {
      input: { message, signature: await wallet.signMessage({ message: message ?? '' }), invitationToken },
    },
  );
  return { code: codeOf(answer), signedIn: answer.data?.signInWithEthereum ?? null };
}

describe('where strangers must be invited', () => {
  it('a stranger with the token of a mail signs up, and accepts it', async () => {
    const [wallet, token] = [newWallet(), await mailed()];
    expect((await enter(wallet)).code).toBe('SIGN_UP_CLOSED');
    const { code, signedIn } = await enter(wallet, token);
    expect([code, signedIn?.isNewUser]).toEqual(['OK', true]);
    expect((await accept(house, signedIn?.accessToken, { token })).code).toBe('OK');
    // who is known needs none
    expect((await enter(wallet)).code).toBe('OK');
  });

  it('nobody signs up with what another has signed up with, nor accepts it', async () => {
    const token = await mailed();
    const first = await enter(newWallet(), token);
    expect(first.code).toBe('OK');
    expect((await enter(newWallet(), token)).code).toBe('SIGN_UP_CLOSED');
    expect((await accept(house, owner, { token })).code).toBe('INVITATION_USED');
    expect((await accept(house, first.signedIn?.accessToken, { token })).code).toBe('OK');
  });

  it('of many strangers with one token at one instant one signs up', async () => {
    const token = await mailed();
    const codes = await Promise.all(Array.from({ length: 4 }, async () => (await enter(newWallet(), token)).code));
    expect(codes.sort()).toEqual(['OK', 'SIGN_UP_CLOSED', 'SIGN_UP_CLOSED', 'SIGN_UP_CLOSED']);
  });

  it.each([
    ['expired', `update invitations set expires_at = now() - interval '1 second'`],
    ['revoked', 'update invitations set revoked_at = now() where accepted_at is null'],
  ])('an invitation that is %s lets nobody in, and leaves nothing', async (_, change) => {
    const [wallet, token] = [newWallet(), await mailed()];
    await invite(house, owner, { address: wallet.address, role: 'MEMBER' });
    await sql(house, change);
    expect((await enter(wallet, token)).code).toBe('SIGN_UP_CLOSED');
    const rows = await sql(house, 'select from identities where subject = $1', [wallet.address.toLowerCase()]);
    expect(rows).toEqual([]);
  });

  it('a wallet that is invited signs up by itself, and no other', async () => {
    const wallet = newWallet();
    await invite(house, owner, { address: wallet.address, role: 'ADMIN' });
    expect((await enter(newWallet())).code).toBe('SIGN_UP_CLOSED');
    const { accessToken } = await enterHouse(house, wallet);
    const [invitation] = await invitationsOf(house, accessToken);
    expect(invitation).toMatchObject({ organizationName: tenant.marker, role: 'ADMIN' });
    expect((await accept(house, accessToken, { id: invitation?.id })).code).toBe('OK');
  });

  it('an invitation to a contract on a chain lets no key of that address in', async () => {
    const wallet = newWallet();
    await invite(house, owner, { address: wallet.address, chainId: 31_337, role: 'MEMBER' });
    expect((await enter(wallet)).code).toBe('SIGN_UP_CLOSED');
  });

  it('a token that nobody was sent is as good as none', async () => {
    expect((await enter(newWallet(), 'th_iv_x')).code).toBe('SIGN_UP_CLOSED');
  });

  it('a stranger signs up with thirdweb’s token and an invitation, or by the smart account that is invited', async () => {
    const present = async (more: { smartWalletAddress?: string }, invitationToken?: string) => {
      const address = newAddress();
      const authToken = house.thirdweb.tokenOf({ userId: address, address, profiles: [], ...more });
      const { nonce } = await getChallenge(house);
      return (await submitThirdweb(house, { authToken, nonce, invitationToken })).code;
    };
    expect(await present({})).toBe('SIGN_UP_CLOSED');
    expect(await present({}, await mailed())).toBe('OK');
    const smartWalletAddress = newAddress();
    await invite(house, owner, { address: smartWalletAddress, chainId: 31_337, role: 'MEMBER' });
    expect(await present({ smartWalletAddress })).toBe('OK');
  });
});
