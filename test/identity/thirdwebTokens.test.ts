import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { showAddress } from '../../src/kernel/address.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  enterWith,
  identitiesOf,
  newAddress,
  presentToken,
  startThirdwebbed,
  submitThirdweb,
  type ThirdwebbedHouse,
  trailOf,
} from './thirdwebbed.ts';
import {
  codeOf,
  enterHouse,
  getChallenge,
  goodTerms,
  isLive,
  newWallet,
  present,
  rowId,
  sessionIdOf,
  sql,
  submit,
  writeText,
} from './visitor.ts';

let house: ThirdwebbedHouse;
beforeAll(async () => {
  house = await startThirdwebbed({ settings: { SIGN_IN_CHAIN_IDS: '31337,8453' } });
});
afterAll(() => house.stop());
afterEach(() => {
  house.thirdweb.mood = 'well';
});

/** Somebody new, with a profile of Google's. */
function person(more: object = {}): { readonly address: string; readonly told: object } {
  const address = newAddress();
  return { address, told: { userId: address, address, profiles: [], ...more } };
}

const google = (id: string, email = 'Alice@Example.org', emailVerified = true) => ({
  type: 'google',
  id,
  email,
  emailVerified,
});

describe('an auth token', () => {
  it('signs up with the in-app wallet, its smart account and each profile', async () => {
    const smart = newAddress();
    const { address, told } = person({
      smartWalletAddress: showAddress(smart),
      profiles: [
        google('g-1'),
        { type: 'email', id: 'e-1', email: 'Bob@Example.org' },
        { type: 'phone', id: 'p-1', phone: '+1 (202) 555-0100' },
        { type: 'discord', id: 'd-1', email: 'no address' },
      ],
    });
    const first = await presentToken(house, house.thirdweb.tokenOf(told));
    expect([first.code, first.data?.isNewUser]).toEqual(['OK', true]);
    if (!first.data) throw new Error('no session');
    const none = { email: null, emailVerified: false, phone: null };
    expect(await identitiesOf(house, first.data)).toMatchObject([
      {
        ...none,
        kind: 'WALLET',
        issuer: 'eip155',
        subject: address,
        wallet: { source: 'THIRDWEB_IN_APP', kind: 'EOA', chainId: null, primary: true, controlledBy: null },
      },
      {
        ...none,
        kind: 'WALLET',
        issuer: 'eip155:31337',
        subject: smart,
        wallet: {
          source: 'THIRDWEB_SMART',
          kind: 'CONTRACT',
          chainId: 31_337,
          primary: false,
          controlledBy: { address: showAddress(address) },
        },
      },
      { ...none, kind: 'SOCIAL', issuer: 'thirdweb:discord', subject: 'd-1', wallet: null },
      { kind: 'EMAIL', issuer: 'thirdweb:email', subject: 'e-1', email: 'bob@example.org', emailVerified: true },
      { kind: 'SOCIAL', issuer: 'thirdweb:google', subject: 'g-1', email: 'alice@example.org', emailVerified: true },
      { ...none, kind: 'PHONE', issuer: 'thirdweb:phone', subject: 'p-1', phone: '+12025550100' },
    ]);
    expect(await isLive(house, first.nonce)).toBe(false);
    expect((await trailOf(house)).at(-1)).toMatchObject({
      purpose: 'SIGN_IN',
      outcome: 'OK',
      address,
      chain_id: '31337',
    });
  });

  it('signs the same user in again, and neither adds nor changes anything', async () => {
    const { told } = person({ profiles: [google('g-2', 'first@example.org', false)] });
    const first = await enterWith(house, house.thirdweb.tokenOf(told));
    const before = await identitiesOf(house, first);
    const profiles = [google('g-2', 'second@example.org'), { type: 'apple', id: 'a-2' }];
    const more = { ...told, smartWalletAddress: newAddress(), profiles };
    const again = await enterWith(house, house.thirdweb.tokenOf(more));
    expect(again).toMatchObject({ isNewUser: false, viewer: first.viewer });
    expect(await identitiesOf(house, again)).toEqual(before);
    expect(before[1]).toMatchObject({ email: 'first@example.org', emailVerified: false });
  });

  it('tells the organization of whoever signs up of each identity, once, and of nothing afterwards', async () => {
    const taken = google('g-21');
    await enterWith(house, house.thirdweb.tokenOf(person({ profiles: [taken] }).told));
    const { address, told } = person({
      smartWalletAddress: newAddress(),
      profiles: [taken, { type: 'apple', id: 'a-21' }],
    });
    for (const _again of [1, 2]) {
      const { viewer } = await enterWith(house, house.thirdweb.tokenOf(told));
      const rows = await sql(
        house,
        `select type, actor, data ->> 'kind' as kind, data ->> 'address' as address from events
         where organization_id = $1 and type <> 'organization.created' order by type, kind`,
        [rowId(viewer.organization.id)],
      );
      const actor = `user:${rowId(viewer.user.id)}`;
      expect(rows).toEqual([
        { type: 'identity.linked', kind: 'SOCIAL', address: null, actor },
        { type: 'user.signed-up', kind: null, address, actor },
        {
          type: 'wallet.linked',
          kind: 'CONTRACT',
          address: (told as { smartWalletAddress?: string }).smartWalletAddress,
          actor,
        },
      ]);
    }
  });

  it('is the same user as the in-app wallet by its own signature', async () => {
    const wallet = newWallet();
    const plain = await enterHouse(house, wallet);
    const told = { address: wallet.address, profiles: [google('g-3')] };
    const { viewer, isNewUser, ...session } = await enterWith(house, house.thirdweb.tokenOf(told));
    expect({ viewer, isNewUser }).toEqual({ viewer: plain.viewer, isNewUser: false });
    expect((await identitiesOf(house, session)).map(({ wallet: seen }) => seen?.source ?? null)).toEqual(['EXTERNAL']);
  });

  it('with no profile at all is enough', async () => {
    const entered = await enterWith(house, house.thirdweb.tokenOf(person().told));
    expect(await identitiesOf(house, entered)).toHaveLength(1);
  });

  it('puts the smart account on the chain that was named, if it is an allowed one', async () => {
    const smart = newAddress();
    const { told } = person({ smartWalletAddress: smart });
    const { data } = await presentToken(house, house.thirdweb.tokenOf(told), { chainId: 8453 });
    if (!data) throw new Error('no session');
    expect((await identitiesOf(house, data)).map(({ issuer }) => issuer)).toEqual(['eip155', 'eip155:8453']);
    const refused = await presentToken(house, house.thirdweb.tokenOf(told), { chainId: 1 });
    expect(refused.code).toBe('SIWE_CHAIN_NOT_ALLOWED');
    expect(await isLive(house, refused.nonce)).toBe(true);
  });
});

describe('whose it is', () => {
  it('never hangs on an e-mail address: two people with the same proved one are two users', async () => {
    const [one, other] = [person({ profiles: [google('g-4')] }), person({ profiles: [google('g-5')] })];
    const first = await enterWith(house, house.thirdweb.tokenOf(one.told));
    const second = await enterWith(house, house.thirdweb.tokenOf(other.told));
    expect(second.isNewUser).toBe(true);
    expect(second.viewer.user.id).not.toBe(first.viewer.user.id);
    expect((await identitiesOf(house, second))[1]).toMatchObject({ email: 'alice@example.org' });
  });

  it('leaves what somebody has with them: one Google account under two wallets is the first one’s', async () => {
    const shared = { profiles: [google('g-6')], smartWalletAddress: newAddress() };
    const first = await enterWith(house, house.thirdweb.tokenOf(person(shared).told));
    const second = await enterWith(house, house.thirdweb.tokenOf(person(shared).told));
    expect(second.isNewUser).toBe(true);
    expect((await identitiesOf(house, first)).map(({ subject }) => subject)).toContain('g-6');
    expect(await identitiesOf(house, second)).toHaveLength(1);
  });

  it('is one user, when a newcomer signs in many times at one instant', async () => {
    const { address, told } = person({ profiles: [google('g-7')], smartWalletAddress: newAddress() });
    const tokens = Array.from({ length: 4 }, () => house.thirdweb.tokenOf(told));
    const entered = await Promise.all(tokens.map((token) => enterWith(house, token)));
    expect(new Set(entered.map(({ viewer }) => viewer.user.id)).size).toBe(1);
    expect(entered.filter(({ isNewUser }) => isNewUser)).toHaveLength(1);
    const rows = await sql(
      house,
      'select from identities where user_id = (select user_id from identities where subject = $1)',
      [address],
    );
    expect(rows).toHaveLength(3);
  });

  it('adds a shared profile to one of two newcomers who come at one instant', async () => {
    const shared = { profiles: [google('g-8'), { type: 'apple', id: 'a-8' }] };
    const entered = await Promise.all(
      [person(shared), person(shared)].map(({ told }) => enterWith(house, house.thirdweb.tokenOf(told))),
    );
    const counts = await Promise.all(entered.map(async (session) => (await identitiesOf(house, session)).length));
    expect(counts.sort()).toEqual([1, 3]);
  });
});

describe('a challenge', () => {
  it('is good once, and for signing in alone', async () => {
    const { told } = person();
    const { code, nonce } = await presentToken(house, house.thirdweb.tokenOf(told));
    expect(code).toBe('OK');
    const authToken = house.thirdweb.tokenOf(told);
    const before = house.thirdweb.asked;
    expect((await submitThirdweb(house, { authToken, nonce })).code).toBe('SIWE_NONCE_INVALID');
    expect((await submitThirdweb(house, { authToken, nonce: 'never-given' })).code).toBe('SIWE_NONCE_INVALID');
    expect(house.thirdweb.asked).toBe(before);
  });

  it('holds a token to its page and to its chain', async () => {
    const { origin } = new URL(house.url);
    const authToken = house.thirdweb.tokenOf(person().told);
    const { nonce } = await getChallenge(house, { chainId: 8453 }, { origin });
    const elsewhere = { origin: 'https://elsewhere.example' };
    const second = { origin: origin.replace('localhost', '127.0.0.1') };
    expect((await submitThirdweb(house, { authToken, nonce }, elsewhere)).code).toBe('SIWE_DOMAIN_MISMATCH');
    expect((await submitThirdweb(house, { authToken, nonce }, second)).code).toBe('SIWE_DOMAIN_MISMATCH');
    expect((await submitThirdweb(house, { authToken, nonce, chainId: 31_337 })).code).toBe('SIWE_CHAIN_NOT_ALLOWED');
    expect(await isLive(house, nonce)).toBe(true);
    expect((await submitThirdweb(house, { authToken, nonce }, { origin })).code).toBe('OK');
  });
});

describe('thirdweb', () => {
  it.each(['silent', 'broken', 'elsewhere', 'endless', 'garbled', 'slow body'] as const)(
    'that is %s fails this way alone, and the nonce is given back',
    async (mood) => {
      const authToken = house.thirdweb.tokenOf(person().told);
      house.thirdweb.mood = mood;
      const before = house.thirdweb.asked;
      const { nonce } = await getChallenge(house);
      const answer = await house.ask(
        'mutation ($input: SignInWithThirdwebInput!) { signInWithThirdweb(input: $input) { isNewUser } }',
        { input: { authToken, nonce } },
      );
      expect([codeOf(answer), answer.status]).toEqual(['THIRDWEB_UNAVAILABLE', 503]);
      expect(answer.errors[0]?.extensions.retryable).toBe(true);
      expect(house.thirdweb.asked).toBe(before + 1);
      expect(await isLive(house, nonce)).toBe(true);
      expect((await present(house)).code).toBe('OK');
      house.thirdweb.mood = 'well';
      expect((await submitThirdweb(house, { authToken, nonce })).code).toBe('OK');
    },
  );

  it.each([
    ['no address', { profiles: [] }],
    ['an address that is none', { address: '0x12', profiles: [] }],
    ['no profiles where they belong', { address: newAddress() }],
    ['a profile without an id', { address: newAddress(), profiles: [{ type: 'google' }] }],
    ['two people', [{ address: newAddress(), profiles: [] }]],
    ['two things of one profile', { address: newAddress(), profiles: [google('g'), google('g', 'b@example.org')] }],
  ])('is not believed when it tells %s', async (_, told) => {
    const people = await sql(house, 'select count(*) from users');
    expect((await presentToken(house, house.thirdweb.tokenOf(told))).code).toBe('THIRDWEB_UNAVAILABLE');
    expect(await sql(house, 'select count(*) from users')).toEqual(people);
  });

  it.each([
    ['unknown', 'eyJ.unknown.sig'],
    ['empty', ''],
    ['no header', 'two words'],
    ['too long', 'x'.repeat(5000)],
  ])('does not know a token that is %s', async (_, authToken) => {
    const { code, nonce } = await presentToken(house, authToken);
    expect([code, (await trailOf(house)).at(-1)]).toMatchObject([
      'THIRDWEB_TOKEN_INVALID',
      { purpose: 'SIGN_IN', outcome: 'THIRDWEB_TOKEN_INVALID', address: null },
    ]);
    expect(await isLive(house, nonce)).toBe(authToken === '');
  });
});

describe('what is handed in', () => {
  it.each([
    ['nothing', {}],
    ['a token without a nonce', { authToken: 'x' }],
    ['a nonce without a token', { nonce: 'x' }],
    ['a signature alone', { signature: '0x12' }],
    ['a token and a signature', { authToken: 'x', nonce: 'x', signature: '0x12' }],
  ])('is refused as %s', async (_, input) => {
    expect((await submitThirdweb(house, input)).code).toBe('BAD_USER_INPUT');
  });

  it('is written to no log and no table', async () => {
    const authToken = house.thirdweb.tokenOf(person().told);
    await presentToken(house, authToken);
    for (const table of ['sessions', 'identities', 'sign_in_attempts', 'sign_in_failures', 'challenges', 'events']) {
      expect(await sql(house, `select from ${table} t where to_jsonb(t)::text like $1`, [`%${authToken}%`])).toEqual(
        [],
      );
    }
  });
});

describe('an installation', () => {
  let other: TestTollhouse;
  afterEach(() => other.stop());

  it('without thirdweb takes none of it, and wallets all the same', async () => {
    other = await startTollhouse();
    const { code } = await presentToken(other, 'x');
    expect(code).toBe('THIRDWEB_NOT_CONFIGURED');
    expect((await submitThirdweb(other, {})).code).toBe('THIRDWEB_NOT_CONFIGURED');
    expect((await present(other)).code).toBe('OK');
  });

  it('that is closed to strangers lets nobody in by thirdweb', async () => {
    other = await startThirdwebbed({ settings: { SIGN_UP: 'invite-only' } });
    const { thirdweb } = other as ThirdwebbedHouse;
    const { code } = await presentToken(other, thirdweb.tokenOf(person({ profiles: [google('g-10')] }).told));
    expect([code, await sql(other, 'select from identities')]).toEqual(['SIGN_UP_CLOSED', []]);
  });

  it('locks out who tries tokens, and lets others go on', async () => {
    other = await startThirdwebbed({
      settings: {
        TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
        LIMIT_SIGN_INS_PER_MINUTE: '1000',
        LIMIT_CHALLENGES_PER_MINUTE: '1000',
        LOCKOUT_AFTER_FAILURES: '2',
      },
    });
    const { thirdweb } = other as ThirdwebbedHouse;
    const codes: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) codes.push((await presentToken(other, 'eyJ.guess.sig')).code);
    expect(codes).toEqual(['THIRDWEB_TOKEN_INVALID', 'THIRDWEB_TOKEN_INVALID', 'LOCKED_OUT']);
    expect((await presentToken(other, thirdweb.tokenOf(person().told))).code).toBe('OK');
    for (let turn = 0; turn < 18; turn += 1) await presentToken(other, `eyJ.guess-${turn}.sig`);
    expect((await presentToken(other, thirdweb.tokenOf(person().told))).code).toBe('LOCKED_OUT');
  });
});

it('a smart account that thirdweb told signs in by its own word alone', async () => {
  const smart = newWallet();
  const { told } = person({ smartWalletAddress: smart.address });
  const owner = await enterWith(house, house.thirdweb.tokenOf(told));
  // the address as an account of its own key is another identity, and a stranger's
  const { nonce } = await getChallenge(house);
  const message = writeText(goodTerms(house, smart, nonce));
  const { signedIn } = await submit(house, { message, signature: await smart.signMessage({ message }) });
  expect(signedIn?.isNewUser).toBe(true);
  expect(rowId(signedIn?.viewer.user.id ?? '')).not.toBe(rowId(owner.viewer.user.id));
});

describe('on an organization’s own domain', () => {
  it('its members get a session that is bound to it, to which nothing is added; strangers get none', async () => {
    const { told } = person();
    const owner = await enterWith(house, house.thirdweb.tokenOf(told));
    const host = `pay.d${newId()}.com`;
    await sql(
      house,
      `insert into organization_domains (organization_id, kind, host, verification_token, verified_at)
       values ($1, 'SUBDOMAIN', $2, md5($2), now())`,
      [rowId(owner.viewer.organization.id), host],
    );
    const headers = { origin: `https://${host}` };
    const visit = async (who: object): ReturnType<typeof submitThirdweb> => {
      const { nonce } = await getChallenge(house, {}, headers);
      return submitThirdweb(house, { authToken: house.thirdweb.tokenOf(who), nonce }, headers);
    };
    const bound = await visit({ ...told, profiles: [google('g-11')] });
    expect(bound).toMatchObject({ code: 'OK', data: { isNewUser: false, viewer: owner.viewer } });
    expect(await identitiesOf(house, owner)).toHaveLength(1);
    const [session] = await sql(house, 'select domain_id is not null as bound from sessions where id = $1', [
      sessionIdOf({ refreshToken: bound.data?.refreshToken ?? '' }),
    ]);
    expect(session).toEqual({ bound: true });
    expect((await visit(person().told)).code).toBe('DOMAIN_SIGN_IN_REFUSED');
  });
});
