import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { link, mutate, stepUp, submitLink, unlink } from './linker.ts';
import { merge } from './merger.ts';
import {
  enterWith,
  identitiesOf,
  newAddress,
  presentToken,
  startThirdwebbed,
  type ThirdwebbedHouse,
} from './thirdwebbed.ts';
import { enterHouse, isLive, newWallet, rowId, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: ThirdwebbedHouse;
beforeAll(async () => {
  house = await startThirdwebbed();
});
afterAll(() => house.stop());

/** Signs in by a token that tells this. */
function enter(told: object): Promise<SignedIn> {
  return enterWith(house, house.thirdweb.tokenOf(told));
}

const google = { type: 'google', id: 'g-trust', email: 'ada@example.org', emailVerified: true };

describe('a session of a token', () => {
  it('is no fresh proof, for whatever asks for one, until its wallet signs', async () => {
    const wallet = newWallet();
    const person = await enter({ address: wallet.address, profiles: [] });
    const token = person.accessToken;
    const authToken = house.thirdweb.tokenOf({ address: newAddress(), profiles: [] });
    const asks: readonly [field: string, input: object, selection: string][] = [
      ['deleteUser', { userId: person.viewer.user.id }, 'userId'],
      ['mergeUsers', { mergeTicket: 'th_mt_x' }, 'userId'],
      ['linkThirdwebProfile', { authToken }, 'alreadyLinked'],
      ['createEmailCode', { email: 'ada@example.org' }, 'email'],
      ['linkEmail', { email: 'ada@example.org', code: '000000' }, 'alreadyLinked'],
      ['linkWallet', { message: '', signature: '0x' }, 'alreadyLinked'],
      ['unlinkIdentity', { id: person.viewer.user.id }, 'identityId'],
      ['setPrimaryWallet', { id: person.viewer.user.id }, 'replayed'],
    ];
    for (const [field, input, selection] of asks) {
      expect([field, (await mutate(house, token, field, input, selection)).code]).toEqual([field, 'STEP_UP_REQUIRED']);
    }
    expect(await stepUp(house, person, wallet)).toBe('OK');
    expect((await link(house, person, newWallet())).code).toBe('OK');
    expect((await mutate(house, token, 'deleteUser', { userId: person.viewer.user.id }, 'userId')).code).toBe('OK');
  });

  it('stays without one when it is refreshed or switched, and leaves another session of the user’s as it is', async () => {
    const wallet = newWallet();
    const signed = await enterHouse(house, wallet);
    const person = await enter({ address: wallet.address, profiles: [] });
    expect(person.viewer).toEqual(signed.viewer);
    const refreshed = await mutate<SignedIn>(
      house,
      undefined,
      'refreshSession',
      { refreshToken: person.refreshToken },
      'accessToken',
    );
    const { id: organizationId } = person.viewer.organization;
    const switched = await mutate<SignedIn>(
      house,
      person.accessToken,
      'switchOrganization',
      { organizationId },
      'accessToken',
    );
    const nothing = { message: '', signature: '0x' };
    for (const { data } of [refreshed, switched]) {
      expect((await submitLink(house, data?.accessToken, nothing)).code).toBe('STEP_UP_REQUIRED');
    }
    expect((await submitLink(house, signed.accessToken, nothing)).code).toBe('SIWE_MALFORMED');
  });

  it('is made for signing in again to what was given up: that does not come back', async () => {
    const wallet = newWallet();
    const told = { address: wallet.address, smartWalletAddress: newAddress(), profiles: [google] };
    const person = await enter(told);
    expect(await stepUp(house, person, wallet)).toBe('OK');
    for (const { id, wallet: seen } of await identitiesOf(house, person)) {
      if (!seen?.primary) expect((await unlink(house, person, id)).code).toBe('OK');
    }
    const left = await identitiesOf(house, person);
    expect(left).toHaveLength(1);
    expect(await identitiesOf(house, await enter(told))).toEqual(left);
    const other = await enter({ address: newAddress(), profiles: [google] });
    expect((await identitiesOf(house, other)).map(({ subject }) => subject)).toContain('g-trust');
  });
});

describe('a profile', () => {
  it.each([
    ['too long', 'x'.repeat(201)],
    ['far too long', 'x'.repeat(9_000)],
    ['with a NUL', 'a\u0000b'],
    ['with half a character', 'a\ud800'],
    ['with a line break', 'a\nb'],
  ])('under a name %s is left out, and the others come', async (_, id) => {
    const profiles = [
      { type: 'email', id, email: 'ada@example.org' },
      { type: 'apple', id: newAddress() },
    ];
    const person = await enter({ address: newAddress(), profiles });
    expect((await identitiesOf(house, person)).map(({ issuer }) => issuer)).toEqual(['eip155', 'thirdweb:apple']);
  });

  it('under the longest name that can be kept comes, whatever characters it is of', async () => {
    const id = `${newAddress()}${'\u{1f511}'.repeat(158)}`;
    const person = await enter({ address: newAddress(), profiles: [{ type: 'apple', id }] });
    expect((await identitiesOf(house, person))[1]).toMatchObject({ issuer: 'thirdweb:apple', subject: id });
  });

  it.each(['a\u0000b@example.org', 'a\ud800@example.org'])('has no e-mail address like %j', async (email) => {
    const profiles = [{ type: 'email', id: newAddress(), email }];
    const person = await enter({ address: newAddress(), profiles });
    expect((await identitiesOf(house, person))[1]).toMatchObject({ kind: 'SOCIAL', email: null });
  });

  it('of a wallet without a name is left out; every other without one is unreadable, and the nonce is good again', async () => {
    const siwe = { type: 'wallet', details: { address: newAddress() } };
    expect(await identitiesOf(house, await enter({ address: newAddress(), profiles: [siwe] }))).toHaveLength(1);
    for (const nameless of [{ type: 'google' }, { type: 'google', id: '' }, { type: 'google', id: 7 }]) {
      const token = house.thirdweb.tokenOf({ address: newAddress(), profiles: [nameless] });
      const { code, nonce } = await presentToken(house, token);
      expect([code, await isLive(house, nonce)]).toEqual(['THIRDWEB_UNAVAILABLE', true]);
    }
  });
});

describe('the functions that merge and delete', () => {
  /** Calls one in the person's own scene, as no command would. */
  async function callAs(person: SignedIn, call: string): Promise<string> {
    const { resources } = house;
    const scope = resources.database.as({
      kind: 'member',
      requestId: 'test',
      sessionId: sessionIdOf(person),
      organizationId: rowId(person.viewer.organization.id),
    });
    return scope
      .write((tx) => [tx.$executeRawUnsafe(`/* callAs */ ${call}`)])
      .then(
        () => 'done',
        (error: { code?: unknown }) => String(error.code),
      );
  }

  it('ask for the fresh proof themselves', async () => {
    const wallet = newWallet();
    const person = await enter({ address: wallet.address, profiles: [] });
    const calls = [`select merge_users(sha256('x'), '{}')`, `select delete_user('{}')`];
    for (const call of calls) expect(await callAs(person, call)).toBe('STEP_UP_REQUIRED');
    expect(await stepUp(house, person, wallet)).toBe('OK');
    await sql(house, `update sessions set proved_at = now() - interval '9 minutes 30 seconds' where id = $1`, [
      sessionIdOf(person),
    ]);
    expect((await merge(house, person, 'th_mt_x')).code).toBe('MERGE_TICKET_INVALID');
    for (const call of calls) expect(await callAs(person, call)).toBe('done');
  });
});
