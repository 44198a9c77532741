import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { runIn, sceneOf } from './scenes.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const GIVE = `select give_merge_ticket(sha256('a ticket'), 600) as until`;

/** Whether the database gives a ticket in a scene that says that this account was proved. */
async function isGiven(asker: SignedIn, account: { issuer: string; subject: string }): Promise<boolean> {
  const { code, rows } = await runIn(house, sceneOf(asker, { account }), GIVE);
  expect(code).toBe('OK');
  return rows[0]?.until !== null;
}

describe('a ticket to merge', () => {
  it('is given for another user’s wallet, and for nothing else of theirs', async () => {
    const [wallet, asker] = [newWallet(), await enterHouse(house)];
    const owner = await enterHouse(house, wallet);
    await sql(
      house,
      `insert into identities (user_id, kind, issuer, subject, email, email_verified, phone)
       values ($1, 'EMAIL', 'email', 'owner@example.org', 'owner@example.org', true, null),
              ($1, 'PHONE', 'thirdweb:phone', 'phone-1', null, false, '+4915112345678'),
              ($1, 'SOCIAL', 'thirdweb:google', 'google-1', null, false, null)`,
      [rowId(owner.viewer.user.id)],
    );
    expect(await isGiven(asker, { issuer: 'eip155', subject: wallet.address.toLowerCase() })).toBe(true);
    expect(await isGiven(asker, { issuer: 'email', subject: 'owner@example.org' })).toBe(false);
    expect(await isGiven(asker, { issuer: 'thirdweb:phone', subject: 'phone-1' })).toBe(false);
    expect(await isGiven(asker, { issuer: 'thirdweb:google', subject: 'google-1' })).toBe(false);
    // nor for one's own, or nobody's
    expect(await isGiven(owner, { issuer: 'eip155', subject: wallet.address.toLowerCase() })).toBe(false);
    expect(await isGiven(asker, { issuer: 'eip155', subject: newWallet().address.toLowerCase() })).toBe(false);
  });
});
