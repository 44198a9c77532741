import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { idOf, link, makeStale, stepUp, unlink, walletsOf } from './linker.ts';
import { linkAddress } from './reader.ts';
import { codeOf, enterHouse, newWallet, rowId, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

let readers = 0;
const newAddress = (): string => `reader${++readers}@example.org`;

describe('unlinking an e-mail address', () => {
  it('makes it nobody’s, ends no session, and is told without the address', async () => {
    const [person, other, email] = [await enterHouse(house), await enterHouse(house), newAddress()];
    const id = await linkAddress(house, person, email);
    expect(await unlink(house, person, id)).toEqual({
      code: 'OK',
      data: { identityId: id, signedOut: false, replayed: false },
    });
    expect(codeOf(await house.ask('{ viewer { role } }', {}, { token: person.accessToken }))).toBe('OK');
    const told = await sql(
      house,
      `select type, aggregate_version as version, data from events where aggregate_id = $1 order by aggregate_version`,
      [rowId(id)],
    );
    const data = { kind: 'EMAIL', issuer: 'email' };
    expect(told).toEqual([
      { type: 'identity.linked', version: 1, data },
      { type: 'identity.unlinked', version: 2, data },
    ]);
    expect((await unlink(house, person, id)).code).toBe('IDENTITY_UNKNOWN');
    await linkAddress(house, other, email);
  });

  it('is nobody’s right but its user’s, with a fresh proof', async () => {
    const wallet = newWallet();
    const [person, other] = [await enterHouse(house, wallet), await enterHouse(house)];
    const id = await linkAddress(house, person, newAddress());
    expect((await unlink(house, other, id)).code).toBe('IDENTITY_UNKNOWN');
    await makeStale(house, person);
    expect((await unlink(house, person, id)).code).toBe('STEP_UP_REQUIRED');
    expect(await stepUp(house, person, wallet)).toBe('OK');
    expect((await unlink(house, person, id)).code).toBe('OK');
  });
});

describe('unlinking a wallet', () => {
  it('is refused for the last one, whatever else proves the user', async () => {
    const wallet = newWallet();
    const person = await enterHouse(house, wallet);
    const email = await linkAddress(house, person, newAddress());
    const id = await idOf(house, person, wallet);
    expect((await unlink(house, person, id)).code).toBe('LAST_IDENTITY');
    expect((await unlink(house, person, email)).code).toBe('OK');
    expect((await unlink(house, person, id)).code).toBe('LAST_IDENTITY');
    expect(await walletsOf(house, person)).toHaveLength(1);
  });

  it('takes its id as an identity as well, and no other type’s', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    await link(house, person, second);
    const row = rowId(await idOf(house, person, second));
    expect((await unlink(house, person, encodeGlobalId('Session', row))).code).toBe('IDENTITY_UNKNOWN');
    expect((await unlink(house, person, encodeGlobalId('Identity', row))).code).toBe('OK');
    expect(await walletsOf(house, person)).toMatchObject([{ address: first.address }]);
  });

  it('leaves the wallets that it controlled, without it', async () => {
    const [first, admin] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    await link(house, person, admin);
    const id = await idOf(house, person, admin);
    const address = newWallet().address.toLowerCase();
    await sql(
      house,
      `insert into identities (
         user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source, controlled_by_id
       )
       values ($1, 'WALLET', 'eip155:31337', $2, $2, 31337, 'CONTRACT', 'THIRDWEB_SMART', $3)`,
      [rowId(person.viewer.user.id), address, rowId(id)],
    );
    expect((await unlink(house, person, id)).code).toBe('OK');
    const left = await sql(house, 'select user_id, controlled_by_id from identities where subject = $1', [address]);
    expect(left).toEqual([{ user_id: rowId(person.viewer.user.id), controlled_by_id: null }]);
    expect(await walletsOf(house, person)).toHaveLength(2);
  });
});
