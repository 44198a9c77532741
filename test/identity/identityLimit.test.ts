import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { link, signFor, submitLink, walletsOf } from './linker.ts';
import { merge, ticketFor } from './merger.ts';
import { readCode, submitCode } from './reader.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql, type Wallet } from './visitor.ts';

const MOST = 100;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);

/** Gives somebody accounts elsewhere until so many identities are theirs. */
async function fill(person: SignedIn, count: number): Promise<void> {
  await sql(
    house,
    `insert into identities (user_id, kind, issuer, subject)
     select $1, 'SOCIAL', 'thirdweb:discord', 'filler ' || uuid_v7()
     from generate_series(1, $2 - (select count(*)::int from identities where user_id = $1))`,
    [userOf(person), count],
  );
}

async function countOf(person: SignedIn): Promise<number> {
  const [row] = await sql(house, 'select count(*)::int as count from identities where user_id = $1', [userOf(person)]);
  return Number(row?.count);
}

describe('a user’s identities', () => {
  it('are a hundred at most: the last wallet is linked, and the next one is not', async () => {
    const [person, last, next] = [await enterHouse(house), newWallet(), newWallet()];
    await fill(person, MOST - 1);
    expect((await link(house, person, last)).code).toBe('OK');
    expect((await link(house, person, next)).code).toBe('TOO_MANY_IDENTITIES');
    expect(await countOf(person)).toBe(MOST);
    // what is there already is no further one
    expect(await link(house, person, last)).toMatchObject({ code: 'OK', data: { alreadyLinked: true } });
    // and nobody has the other
    expect((await enterHouse(house, next)).isNewUser).toBe(true);
  });

  it('are a hundred at most, when an e-mail address is linked, and its code is not used up', async () => {
    const [person, email] = [await enterHouse(house), `limit-${newId()}@example.org`];
    const code = await readCode(house, person, email);
    await fill(person, MOST);
    expect((await submitCode(house, person, email, code)).code).toBe('TOO_MANY_IDENTITIES');
    await sql(house, `delete from identities where user_id = $1 and subject like 'filler%'`, [userOf(person)]);
    expect((await submitCode(house, person, email, code)).code).toBe('OK');
  });

  it('are a hundred at most, when many are linked at one instant', async () => {
    const person = await enterHouse(house);
    await fill(person, MOST - 2);
    const signed = await Promise.all(
      Array.from({ length: 6 }, () => signFor(house, person.accessToken, 'LINK', newWallet())),
    );
    const linked = await Promise.all(signed.map((one) => submitLink(house, person.accessToken, one)));
    expect(linked.map(({ code }) => code).sort()).toEqual([
      'OK',
      'OK',
      ...Array.from({ length: 4 }, () => 'TOO_MANY_IDENTITIES'),
    ]);
    expect(await countOf(person)).toBe(MOST);
    expect(await walletsOf(house, person)).toHaveLength(3);
  });

  it.each([
    [MOST, 'OK'],
    [MOST + 1, 'TOO_MANY_IDENTITIES'],
  ])('of two who merge may be %i together: %s', async (together, code) => {
    const other: Wallet = newWallet();
    const [person, second] = [await enterHouse(house), await enterHouse(house, other)];
    await fill(second, 50);
    await fill(person, together - 50);
    const ticket = await ticketFor(house, person, other);
    expect((await merge(house, person, ticket)).code).toBe(code);
    expect([await countOf(person), await countOf(second)]).toEqual(code === 'OK' ? [MOST, 0] : [together - 50, 50]);
  });
});
