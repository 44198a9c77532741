import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { during } from './during.ts';
import { mutate } from './linker.ts';
import { merge, ticketFor } from './merger.ts';
import { codeOf, enterHouse, newWallet, present, refresh, rowId, type SignedIn, sql, type Wallet } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);

interface Pair {
  readonly older: SignedIn;
  readonly younger: SignedIn;
  readonly wallets: readonly [Wallet, Wallet];
}

async function twoUsers(): Promise<Pair> {
  const wallets = [newWallet(), newWallet()] as const;
  const older = await enterHouse(house, wallets[0]);
  return { wallets, older, younger: await enterHouse(house, wallets[1]) };
}

/** Adds an identity that nobody has, whatever the scene. */
function addIdentity(userId: string): Promise<unknown> {
  return sql(house, `insert into identities (user_id, kind, issuer, subject) values ($1, 'SOCIAL', 'thirdweb:x', $2)`, [
    userId,
    randomBytes(20).toString('hex'),
  ]);
}

const LOCK = `select pg_advisory_xact_lock(hashtextextended('wallets of ' || $1::uuid, 0))`;
const GONE = {
  merged: (survivor: string) => `update users set merged_into_id = '${survivor}' where id = $1`,
  deleted: () => 'update users set deleted_at = now() where id = $1',
};

describe.each(['merged', 'deleted'] as const)('a user who is %s', (how) => {
  it.each(['with the lock', 'without the lock'])(
    'at this very instant, %s, gets no identity any more',
    async (lock) => {
      const { older, younger } = await twoUsers();
      const late = during(
        house,
        async (client) => {
          if (lock === 'with the lock') await client.query(LOCK, [userOf(younger)]);
          await client.query(GONE[how](userOf(older)), [userOf(younger)]);
        },
        () => addIdentity(userOf(younger)),
      );
      await expect(late).rejects.toMatchObject({ code: 'TH401' });
      await addIdentity(userOf(older));
    },
  );

  it('goes when an identity that was being added is there, and no sooner', async () => {
    const { older, younger } = await twoUsers();
    const add = `insert into identities (user_id, kind, issuer, subject) values ($1, 'SOCIAL', 'thirdweb:x', $2)`;
    const found = await during(
      house,
      (client) => client.query(add, [userOf(younger), userOf(younger)]),
      async () => {
        await sql(house, GONE[how](userOf(older)), [userOf(younger)]);
        return sql(house, 'select from identities where subject = $1', [userOf(younger)]);
      },
    );
    expect(found).toHaveLength(1);
  });

  it.each(['anew', 'again'])('at this very instant becomes no member any more, %s', async (which) => {
    const { older, younger } = await twoUsers();
    const place = [rowId(older.viewer.organization.id), userOf(younger)];
    const enter = `
      insert into memberships (organization_id, user_id, role, status) values ($1, $2, 'MEMBER', 'ACTIVE')
      on conflict (organization_id, user_id) do update set status = 'ACTIVE'`;
    if (which === 'again') {
      await sql(house, enter, place);
      await sql(house, `update memberships set status = 'LEFT' where organization_id = $1 and user_id = $2`, place);
    }
    const late = during(
      house,
      async (client) => {
        // as whoever merges or deletes does it; and what has left is waited for by what enters again
        await client.query('select from users where id = $1 for update', [userOf(younger)]);
        await client.query('select from memberships where user_id = $1 for update', [userOf(younger)]);
        await client.query(GONE[how](userOf(older)), [userOf(younger)]);
      },
      () => sql(house, enter, place),
    );
    await expect(late).rejects.toMatchObject({ code: 'TH401' });
  });

  it.each(['first', 'further'])('at this very instant tells no %s word of themselves any more', async (which) => {
    const { older, younger } = await twoUsers();
    const tell = (person: SignedIn, bio: string) =>
      mutate(house, person.accessToken, 'updateProfile', { bio }, 'profile { bio }');
    if (which === 'further') expect((await tell(younger, 'early')).code).toBe('OK');
    const late = await during(
      house,
      (client) => client.query(GONE[how](userOf(older)), [userOf(younger)]),
      () => tell(younger, 'late'),
    );
    expect(late.code).toBe('UNAUTHENTICATED');
    const kept = await sql(house, 'select bio from user_profiles where user_id = $1', [userOf(younger)]);
    expect(kept).toEqual(which === 'further' ? [{ bio: 'early' }] : []);
    expect((await tell(older, 'late')).code).toBe('OK');
  });

  it('is nobody, whatever is left: no session goes on, and none begins', async () => {
    const { older, younger, wallets } = await twoUsers();
    const ask = (): Promise<string> =>
      house.ask('{ viewer { role } }', {}, { token: younger.accessToken }).then((answer) => codeOf(answer));
    expect(await ask()).toBe('OK');
    await sql(house, GONE[how](userOf(older)), [userOf(younger)]);
    expect(await ask()).toBe('UNAUTHENTICATED');
    expect((await refresh(house, younger.refreshToken)).code).not.toBe('OK');
    expect((await present(house, {}, { wallet: wallets[1] })).code).toBe('USER_DISABLED');
    const copied = sql(
      house,
      `insert into sessions (user_id, identity_id, organization_id, refresh_hash, expires_at)
       select user_id, identity_id, organization_id, sha256(refresh_hash), expires_at from sessions where user_id = $1`,
      [userOf(younger)],
    );
    await expect(copied).rejects.toMatchObject({ code: 'TH401' });
    expect((await present(house, {}, { wallet: wallets[0] })).code).toBe('OK');
  });
});

describe('a profile that is being changed', () => {
  const change = (person: SignedIn, input: object) =>
    mutate(house, person.accessToken, 'updateProfile', input, 'profile { bio }');
  /** As updateProfile does it, its two statements apart; it is the first to look for a circle. */
  const steps = (userId: string) => ({
    name: async (client: { query: (text: string, values?: unknown[]) => Promise<unknown> }) => {
      await client.query(`set local deadlock_timeout = '10ms'`);
      await client.query(`update users set display_name = 'Late' where id = $1`, [userId]);
    },
    bio: (client: { query: (text: string, values?: unknown[]) => Promise<unknown> }) =>
      client.query(`update user_profiles set bio = 'late' where user_id = $1`, [userId]),
  });

  it.each(['older', 'younger'] as const)('(the %s one’s) is waited for by a merge, in no circle', async (whose) => {
    const pair = await twoUsers();
    for (const person of [pair.older, pair.younger]) expect((await change(person, { bio: 'early' })).code).toBe('OK');
    const ticket = await ticketFor(house, pair.older, pair.wallets[1]);
    const { name, bio } = steps(userOf(pair[whose]));
    expect((await during(house, name, () => merge(house, pair.older, ticket), bio)).code).toBe('OK');
    const [kept] = await sql(house, 'select bio from user_profiles where user_id = $1', [userOf(pair.older)]);
    expect(kept).toEqual({ bio: whose === 'older' ? 'late' : 'early' });
  });

  it('is waited for by whoever deletes themselves, and forgotten', async () => {
    const { older } = await twoUsers();
    expect((await change(older, { bio: 'early' })).code).toBe('OK');
    const { name, bio } = steps(userOf(older));
    const remove = () => mutate(house, older.accessToken, 'deleteUser', { userId: older.viewer.user.id }, 'userId');
    expect((await during(house, name, remove, bio)).code).toBe('OK');
    const [kept] = await sql(
      house,
      'select display_name, bio from users u join user_profiles p on p.user_id = u.id where u.id = $1',
      [userOf(older)],
    );
    expect(kept).toEqual({ display_name: 'Deleted user', bio: null });
  });
});
