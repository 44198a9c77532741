import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  askText,
  idOf,
  link,
  makeStale,
  mutate,
  prefer,
  type Signed,
  signFor,
  stepUp,
  submitLink,
  submitStepUp,
  toldOf,
  unlink,
  walletsOf,
} from './linker.ts';
import {
  enterHouse,
  getChallenge,
  newWallet,
  refresh,
  rowId,
  type SignedIn,
  sessionIdOf,
  sql,
  submit,
  type Wallet,
} from './visitor.ts';

const ROUNDS = FULL ? 200 : 10;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
});
afterAll(() => house.stop());

/** The other organization is one that the person is a plain member of too. */
async function join(person: SignedIn, other: SignedIn, status = 'ACTIVE'): Promise<void> {
  await sql(house, `insert into memberships (organization_id, user_id, role, status) values ($1, $2, 'MEMBER', $3)`, [
    rowId(other.viewer.organization.id),
    rowId(person.viewer.user.id),
    status,
  ]);
}

const stored = ({ address }: Wallet): string => address.toLowerCase();

describe('linking a wallet', () => {
  it('makes a wallet that nobody knows the signed-in user’s, who can sign in with it from then on', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    const { code, data } = await link(house, person, second);
    expect([code, data]).toMatchObject([
      'OK',
      { alreadyLinked: false, wallet: { address: second.address, primary: false } },
    ]);
    expect(await walletsOf(house, person)).toMatchObject([
      { address: first.address, primary: true },
      { address: second.address, primary: false },
    ]);
    const again = await enterHouse(house, second);
    expect([again.isNewUser, again.viewer]).toEqual([false, person.viewer]);
  });

  it('shows the wallet as a node to its own user, and to nobody else', async () => {
    const wallet = newWallet();
    const [person, stranger] = [await enterHouse(house, wallet), await enterHouse(house)];
    const id = await idOf(house, person, wallet);
    const query = `query ($id: ID!) { node(id: $id) {
      __typename id ... on Wallet { address kind source chainId primary linkedAt provedAt }
    } }`;
    expect((await house.ask(query, { id }, { token: person.accessToken })).data).toEqual({
      node: {
        __typename: 'Wallet',
        id,
        address: wallet.address,
        kind: 'EOA',
        source: 'EXTERNAL',
        chainId: null,
        primary: true,
        linkedAt: expect.any(String),
        provedAt: expect.any(String),
      },
    });
    expect((await house.ask(query, { id }, { token: stranger.accessToken })).data).toEqual({ node: null });
    expect((await house.ask(query, { id })).data).toEqual({ node: null });
  });

  it('changes nothing when the wallet is the user’s already, in either spelling', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    await link(house, person, second);
    const before = await sql(house, 'select * from identities where address = $1', [stored(second)]);
    for (const wallet of [first, second]) {
      expect(await link(house, person, wallet)).toMatchObject({
        code: 'OK',
        data: { alreadyLinked: true, wallet: { address: wallet.address } },
      });
    }
    expect(await sql(house, 'select * from identities where address = $1', [stored(second)])).toEqual(before);
    expect(await toldOf(house, person.viewer.organization.id, person)).toHaveLength(1);
  });

  it('refuses a wallet of another user, without a word about them', async () => {
    const wallet = newWallet();
    const [person, other] = [await enterHouse(house), await enterHouse(house, wallet)];
    const input = await signFor(house, person.accessToken, 'LINK', wallet);
    const answer = await house.ask(
      'mutation ($input: LinkWalletInput!) { linkWallet(input: $input) { alreadyLinked } }',
      { input },
      { token: person.accessToken },
    );
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'IDENTITY_LINKED_TO_OTHER_USER', retryable: false });
    const { facts } = (answer.errors[0]?.extensions ?? {}) as { facts?: object };
    expect(Object.keys(facts ?? {}).sort()).toEqual(['expiresAt', 'mergeTicket']);
    expect(JSON.stringify(answer.errors)).not.toContain(rowId(other.viewer.user.id));
    expect(await walletsOf(house, person)).toHaveLength(1);
    expect((await enterHouse(house, wallet)).viewer).toEqual(other.viewer);
  });

  it('is told in each organization that the user is a member of, and in no other', async () => {
    const wallet = newWallet();
    const [person, joined, left, foreign] = [
      await enterHouse(house),
      await enterHouse(house),
      await enterHouse(house),
      await enterHouse(house),
    ];
    await join(person, joined);
    await join(person, left, 'LEFT');
    await link(house, person, wallet);
    const told = [`wallet.linked ${stored(wallet)} 1`];
    expect(
      await Promise.all(
        [person, joined, left, foreign].map(({ viewer }) => toldOf(house, viewer.organization.id, person)),
      ),
    ).toEqual([told, told, [], []]);
  });

  it('leaves its attempts in the trail, with what they were for and whose session it was', async () => {
    const [wallet, taken] = [newWallet(), newWallet()];
    const [person] = [await enterHouse(house), await enterHouse(house, taken)];
    await link(house, person, wallet);
    await link(house, person, taken);
    const trail = await sql(
      house,
      `select purpose, outcome, address from sign_in_attempts where user_id = $1 and purpose = 'LINK' order by id`,
      [rowId(person.viewer.user.id)],
    );
    expect(trail).toEqual([
      { purpose: 'LINK', outcome: 'OK', address: stored(wallet) },
      { purpose: 'LINK', outcome: 'IDENTITY_LINKED_TO_OTHER_USER', address: stored(taken) },
    ]);
  });

  it('needs a session, and a text that the wallet itself has signed', async () => {
    const wallet = newWallet();
    const person = await enterHouse(house);
    const signed = await signFor(house, person.accessToken, 'LINK', wallet);
    expect((await submitLink(house, undefined, signed)).code).toBe('UNAUTHENTICATED');
    const forged = { ...signed, signature: await newWallet().signMessage({ message: signed.message }) };
    expect((await submitLink(house, person.accessToken, forged)).code).toBe('SIWE_SIGNATURE_INVALID');
    expect((await submitLink(house, person.accessToken, signed)).code).toBe('SIWE_NONCE_INVALID');
    const input = { purpose: 'LINK', address: wallet.address };
    expect((await mutate(house, undefined, 'createWalletChallenge', input, 'challenge { nonce }')).code).toBe(
      'UNAUTHENTICATED',
    );
    expect(await walletsOf(house, person)).toHaveLength(1);
  });
});

describe('the text of a challenge', () => {
  it('names the account that it is for, in the characters of EIP-4361', async () => {
    const wallet = newWallet();
    const person = await enterHouse(house, wallet);
    await sql(house, 'update users set display_name = $2 where id = $1', [
      rowId(person.viewer.user.id),
      'Zoë ‘O’Neil’ 京\u2003x',
    ]);
    const short = `${stored(wallet).slice(0, 6)}...${stored(wallet).slice(-4)}`;
    const [, , , linking] = (await askText(house, person.accessToken, 'LINK', newWallet().address)).split('\n');
    expect(linking).toBe(
      `Link this wallet to 'Zoe ONeil x', the account of ${short}. Whoever signs in with it will be that account. If it has an account here already, signing lets that account be merged with this one.`,
    );
    const [, , , stepping] = (await askText(house, person.accessToken, 'STEP_UP', wallet.address)).split('\n');
    expect(stepping).toBe(
      `Prove again that you are 'Zoe ONeil x', the account of ${short}, before something of that account is changed.`,
    );
  });

  it('is good for the user that it names, in whichever session, and for no other', async () => {
    const [owned, wallet] = [newWallet(), newWallet()];
    const [person, thief] = [await enterHouse(house, owned), await enterHouse(house)];
    const signed = await signFor(house, person.accessToken, 'LINK', wallet);
    expect((await submitLink(house, thief.accessToken, signed)).code).toBe('SIWE_NONCE_INVALID');
    const elsewhere = await enterHouse(house, owned);
    expect((await submitLink(house, elsewhere.accessToken, signed)).code).toBe('OK');
    expect(await walletsOf(house, thief)).toHaveLength(1);
  });

  it('is good for its own purpose, and for no other', async () => {
    const wallet = newWallet();
    const person = await enterHouse(house, wallet);
    const { message } = await getChallenge(house, { address: wallet.address });
    const signingIn: Signed = {
      message: message ?? '',
      signature: await wallet.signMessage({ message: message ?? '' }),
    };
    const linking = await signFor(house, person.accessToken, 'LINK', wallet);
    const stepping = await signFor(house, person.accessToken, 'STEP_UP', wallet);
    const refused = [
      await submitLink(house, person.accessToken, signingIn),
      await submitLink(house, person.accessToken, stepping),
      await submitStepUp(house, person.accessToken, signingIn),
      await submitStepUp(house, person.accessToken, linking),
      await submit(house, linking),
      await submit(house, stepping),
      await submit(house, linking, { authorization: `Bearer ${person.accessToken}` }),
    ];
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['SIWE_NONCE_INVALID']));
    expect((await submit(house, signingIn)).code).toBe('OK');
    expect((await submitLink(house, person.accessToken, linking)).code).toBe('OK');
    expect((await submitStepUp(house, person.accessToken, stepping)).code).toBe('OK');
  });
});

describe('a session whose proof is older than ten minutes', () => {
  it('must step up before it links, unlinks or prefers, and keeps its challenge', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    const id = await idOf(house, person, first);
    const signed = await signFor(house, person.accessToken, 'LINK', second);
    await makeStale(house, person);
    const attempt = async () => [
      (await submitLink(house, person.accessToken, signed)).code,
      (await prefer(house, person, id)).code,
      (await unlink(house, person, id)).code,
    ];
    expect(await attempt()).toEqual(['STEP_UP_REQUIRED', 'STEP_UP_REQUIRED', 'STEP_UP_REQUIRED']);
    expect(await stepUp(house, person, first)).toBe('OK');
    expect(await attempt()).toEqual(['OK', 'OK', 'OK']);
  });

  it('steps up with any wallet of the user, and with nobody else’s', async () => {
    const [first, second, others] = [newWallet(), newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    await enterHouse(house, others);
    await link(house, person, second);
    await makeStale(house, person);
    expect(await stepUp(house, person, others)).toBe('WALLET_NOT_YOURS');
    expect(await stepUp(house, person, newWallet())).toBe('WALLET_NOT_YOURS');
    expect((await link(house, person, newWallet())).code).toBe('STEP_UP_REQUIRED');
    expect(await stepUp(house, person, second)).toBe('OK');
    expect((await link(house, person, newWallet())).code).toBe('OK');
  });

  it('is not made fresh by refreshing, by switching, or by another session’s proof', async () => {
    const wallet = newWallet();
    const [person, other] = [await enterHouse(house, wallet), await enterHouse(house)];
    await join(person, other);
    await makeStale(house, person);
    await enterHouse(house, wallet);
    const refreshed = (await refresh(house, person.refreshToken)).signedIn as SignedIn;
    const switched = await mutate<SignedIn>(
      house,
      refreshed.accessToken,
      'switchOrganization',
      { organizationId: other.viewer.organization.id },
      'accessToken',
    );
    const stale = [refreshed, switched.data as SignedIn];
    for (const each of stale) expect((await link(house, each, newWallet())).code).toBe('STEP_UP_REQUIRED');
    expect(await stepUp(house, switched.data as SignedIn, wallet)).toBe('OK');
    for (const each of stale) expect((await link(house, each, newWallet())).code).toBe('OK');
  });

  it('says until when it is fresh, by the database’s clock', async () => {
    const wallet = newWallet();
    const person = await enterHouse(house, wallet);
    await makeStale(house, person);
    const signed = await signFor(house, person.accessToken, 'STEP_UP', wallet);
    const { data } = await submitStepUp(house, person.accessToken, signed);
    const [row] = await sql(house, 'select proved_at as "provedAt" from sessions where id = $1', [sessionIdOf(person)]);
    const provedAt = row?.provedAt as Date;
    expect(data).toEqual({
      provedAt: provedAt.toISOString(),
      freshUntil: new Date(provedAt.getTime() + 600_000).toISOString(),
    });
    expect((await submitStepUp(house, undefined, signed)).code).toBe('UNAUTHENTICATED');
  });
});

describe('one wallet at one instant', () => {
  it(`becomes the user’s who was first, of two who link it, ${ROUNDS} times`, { timeout: 600_000 }, async () => {
    let [one, other] = [await enterHouse(house), await enterHouse(house)];
    for (let round = 0; round < ROUNDS; round += 1) {
      // before either has as many wallets as anybody may have
      if (round % 50 === 49) [one, other] = [await enterHouse(house), await enterHouse(house)];
      const wallet = newWallet();
      const signed = await Promise.all(
        [one, other].map(({ accessToken }) => signFor(house, accessToken, 'LINK', wallet)),
      );
      const outcomes = await Promise.all([
        submitLink(house, one.accessToken, signed[0] as Signed),
        submitLink(house, other.accessToken, signed[1] as Signed),
      ]);
      expect(outcomes.map(({ code }) => code).sort()).toEqual(['IDENTITY_LINKED_TO_OTHER_USER', 'OK']);
      const winner = outcomes[0].code === 'OK' ? one : other;
      const again = await enterHouse(house, wallet);
      expect([again.isNewUser, again.viewer.user.id]).toEqual([false, winner.viewer.user.id]);
    }
  });

  it(`is one user’s, of a sign-up and a link, ${ROUNDS} times`, { timeout: 600_000 }, async () => {
    let person = await enterHouse(house);
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round % 50 === 49) person = await enterHouse(house);
      const wallet = newWallet();
      const signed = await signFor(house, person.accessToken, 'LINK', wallet);
      const [linked, visitor] = await Promise.all([
        submitLink(house, person.accessToken, signed),
        enterHouse(house, wallet),
      ]);
      expect([linked.code, visitor.isNewUser]).toEqual(
        visitor.isNewUser ? ['IDENTITY_LINKED_TO_OTHER_USER', true] : ['OK', false],
      );
      expect(visitor.viewer.user.id === person.viewer.user.id).toBe(linked.code === 'OK');
    }
  });
});
