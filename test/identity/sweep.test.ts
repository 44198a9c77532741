import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepSignIns } from '../../src/identity/jobs.ts';
import { sha256 } from '../../src/kernel/digest.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { enterHouse, getChallenge, isLive, refresh, rowId, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

describe('sweeping', () => {
  it('takes away what has ended and leaves what is in use', async () => {
    const person = await enterHouse(house);
    const [live, expired] = [await getChallenge(house), await getChallenge(house)];
    await sql(house, `update challenges set expires_at = now() - interval '1 second' where nonce_hash = $1`, [
      sha256(expired.nonce),
    ]);
    const [recent, old] = [sha256('recent'), sha256('old')];
    await sql(
      house,
      `insert into rate_limits (key_hash, window_start, hits)
      values ($1, now() - interval '23 hours', 1), ($2, now() - interval '25 hours', 1)`,
      [recent, old],
    );
    await sql(
      house,
      `insert into sign_in_failures (key_hash, failures, failed_at)
      values ($1, 1, now() - interval '23 hours'), ($2, 1, now() - interval '25 hours')`,
      [recent, old],
    );
    const other = await enterHouse(house);
    await sql(
      house,
      `insert into merge_tickets (ticket_hash, user_id, identity_id, other_user_id, expires_at)
      select hash, $1, i.id, i.user_id, now() + make_interval(secs => expires)
      from identities i, (values ($3::bytea, 60), ($4::bytea, -1)) tickets (hash, expires)
      where i.user_id = $2`,
      [rowId(person.viewer.user.id), rowId(other.viewer.user.id), recent, old],
    );
    const attempts = () => sql(house, 'select id from sign_in_attempts');
    const before = await attempts();

    const { database, log } = house.resources;
    await sweepSignIns({ database, log, requestId: 'sweep' });

    expect([await isLive(house, live.nonce), await isLive(house, expired.nonce)]).toEqual([true, false]);
    const windows = await sql(house, 'select key_hash from rate_limits where key_hash = any ($1)', [[recent, old]]);
    expect(windows).toEqual([{ key_hash: recent }]);
    expect(await sql(house, 'select ticket_hash from merge_tickets')).toEqual([{ ticket_hash: recent }]);
    expect(await sql(house, 'select key_hash from sign_in_failures')).toEqual([{ key_hash: recent }]);
    expect(await attempts()).toEqual(before);
    expect((await refresh(house, person.refreshToken)).code).toBe('OK');
  });
});
