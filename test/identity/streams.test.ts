import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { openStream, type Stream } from './stream.ts';
import { enterHouse, rowId, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ settings: { LIMIT_STREAMS_PER_SESSION: '3' } });
});
afterAll(() => house.stop());

interface Changed {
  readonly viewerChanged: {
    readonly user: { readonly id: string; readonly displayName: string };
    readonly role: string;
    readonly profile: { readonly bio: string | null };
  };
}

const WATCH = 'subscription { viewerChanged { user { id displayName } role profile { bio } } }';

/** Somebody's stream, which has said who they are. */
async function watching(who: Pick<SignedIn, 'accessToken'>, at = house): Promise<Stream<Changed>> {
  const stream = await openStream<Changed>(at.url, WATCH, who.accessToken);
  expect(await stream.nextCode()).toBe('OK');
  return stream;
}

/** Ends the connection that the gateway listens on. */
async function deafen(): Promise<void> {
  await sql(
    house,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'tollhouse hints'`,
  );
}

async function setHints(to: 'disable' | 'enable'): Promise<void> {
  for (const table of ['sessions', 'memberships', 'organizations', 'users']) {
    await sql(house, `alter table ${table} ${to} trigger ${table}_tell_streams`);
  }
}

const OF_ORGANIZATION = 'where organization_id = $1 and user_id = $2';

/** What ends a stream, done by somebody else, and the code that it ends with. */
const ENDS: readonly [what: string, code: string, end: (who: SignedIn, organizationId: string) => Promise<unknown>][] =
  [
    [
      'signing out',
      'UNAUTHENTICATED',
      ({ accessToken }) => house.ask('mutation { signOut { signedOut } }', {}, { token: accessToken }),
    ],
    [
      'the session’s being ended elsewhere',
      'UNAUTHENTICATED',
      (who) => sql(house, 'update sessions set ended_at = now() where id = $1', [sessionIdOf(who)]),
    ],
    [
      'the membership’s end',
      'MEMBERSHIP_ENDED',
      ({ viewer }, organizationId) =>
        sql(house, `update memberships set status = 'REMOVED' ${OF_ORGANIZATION}`, [
          organizationId,
          rowId(viewer.user.id),
        ]),
    ],
    [
      'the organization’s being suspended',
      'ORGANIZATION_SUSPENDED',
      (_, organizationId) =>
        sql(house, `update organizations set status = 'SUSPENDED' where id = $1`, [organizationId]),
    ],
    [
      'the user’s being disabled',
      'UNAUTHENTICATED',
      ({ viewer }) => sql(house, `update users set status = 'DISABLED' where id = $1`, [rowId(viewer.user.id)]),
    ],
  ];

describe('viewerChanged', () => {
  it('answers at once, and again with what has changed', async () => {
    const who = await enterHouse(house);
    const stream = await openStream<Changed>(house.url, WATCH, who.accessToken);
    expect((await stream.next())?.data?.data?.viewerChanged).toMatchObject({ user: who.viewer.user, role: 'OWNER' });
    const update = 'mutation { updateProfile(input: { displayName: "Ada", bio: "Hello" }) { profile { bio } } }';
    await house.ask(update, {}, { token: who.accessToken });
    expect((await stream.next())?.data?.data?.viewerChanged).toMatchObject({
      user: { displayName: 'Ada' },
      profile: { bio: 'Hello' },
    });
    const to = [rowId(who.viewer.organization.id), rowId(who.viewer.user.id)];
    await sql(house, `update memberships set role = 'MEMBER' ${OF_ORGANIZATION}`, to);
    expect((await stream.next())?.data?.data?.viewerChanged.role).toBe('MEMBER');
    stream.leave();
  });

  it('says nothing of what happens to others, nor of what changes nothing', async () => {
    const [one, other] = [await enterHouse(house), await enterHouse(house)];
    const stream = await watching(one);
    await sql(house, `update users set display_name = 'Eve' where id = $1`, [rowId(other.viewer.user.id)]);
    await sql(house, 'update users set updated_at = now() where id = $1', [rowId(one.viewer.user.id)]);
    await sql(house, `update users set display_name = 'Bob' where id = $1`, [rowId(one.viewer.user.id)]);
    const event = await stream.next();
    expect(event?.data?.data?.viewerChanged.user.displayName).toBe('Bob');
    stream.leave();
  });

  it.each(ENDS)('ends with %s: %s', async (_, code, end) => {
    const [who, another] = [await enterHouse(house), await enterHouse(house)];
    const [stream, other] = [await watching(who), await watching(another)];
    await end(who, rowId(who.viewer.organization.id));
    expect([await stream.nextCode(), await stream.nextCode(), await stream.nextCode()]).toEqual([
      code,
      'complete',
      'closed',
    ]);
    const next = await house.ask('{ viewer { role } }', {}, { token: who.accessToken });
    expect(next.errors[0]?.extensions.code).toBe(code);
    // nobody else's has ended
    await sql(house, `update users set display_name = 'Still here' where id = $1`, [rowId(another.viewer.user.id)]);
    expect((await other.next())?.data?.data?.viewerChanged.user.displayName).toBe('Still here');
    other.leave();
  });

  it('ends with each of them, too, when no hint of it is heard', async () => {
    const watched = await Promise.all(
      ENDS.map(async ([what, code, end]) => {
        const who = await enterHouse(house);
        return { what, code, end, who, stream: await watching(who) };
      }),
    );
    await setHints('disable');
    try {
      for (const { end, who } of watched) await end(who, rowId(who.viewer.organization.id));
      const told = watched.map(async ({ what, stream }) => [what, await stream.nextCode(), await stream.nextCode()]);
      expect(await Promise.all(told)).toEqual(watched.map(({ what, code }) => [what, code, 'complete']));
    } finally {
      await setHints('enable');
    }
  });

  it('goes on when the listening connection has died, and a new one is opened', async () => {
    const who = await enterHouse(house);
    const stream = await watching(who);
    await deafen();
    await sql(house, `update users set display_name = 'While deaf' where id = $1`, [rowId(who.viewer.user.id)]);
    expect((await stream.next())?.data?.data?.viewerChanged.user.displayName).toBe('While deaf');
    for (let open = 0; open < 1; ) {
      const rows = await sql(
        house,
        `select from pg_stat_activity
         where datname = current_database() and application_name = 'tollhouse hints' and query like 'listen %'`,
      );
      open = rows.length;
    }
    await sql(house, `update users set display_name = 'Heard' where id = $1`, [rowId(who.viewer.user.id)]);
    expect((await stream.next())?.data?.data?.viewerChanged.user.displayName).toBe('Heard');
    stream.leave();
  });

  it('is one listening connection, however many streams are open', async () => {
    const streams = [await watching(await enterHouse(house)), await watching(await enterHouse(house))];
    const rows = await sql(
      house,
      `select from pg_stat_activity where datname = current_database() and application_name = 'tollhouse hints'`,
    );
    expect(rows).toHaveLength(1);
    for (const stream of streams) stream.leave();
  });

  it('is refused without a session, and with one that has ended', async () => {
    const nobody = await openStream(house.url, WATCH);
    expect([await nobody.nextCode(), await nobody.nextCode()]).toEqual(['UNAUTHENTICATED', 'complete']);
    const who = await enterHouse(house);
    await house.ask('mutation { signOut { signedOut } }', {}, { token: who.accessToken });
    const late = await openStream(house.url, WATCH, who.accessToken);
    expect([await late.nextCode(), await late.nextCode()]).toEqual(['UNAUTHENTICATED', 'complete']);
  });

  it('is open so many times a session and no more, until one is left', async () => {
    const who = await enterHouse(house);
    const streams = [await watching(who), await watching(who), await watching(who)];
    const refused = await openStream(house.url, WATCH, who.accessToken);
    expect([await refused.nextCode(), await refused.nextCode()]).toEqual(['TOO_MANY_STREAMS', 'complete']);
    const other = await watching(await enterHouse(house));
    other.leave();
    streams[0]?.leave();
    for (let code = ''; code !== 'OK'; ) {
      const again = await openStream(house.url, WATCH, who.accessToken);
      code = await again.nextCode();
      expect(['OK', 'TOO_MANY_STREAMS']).toContain(code);
      if (code === 'OK') again.leave();
    }
    for (const stream of streams) stream.leave();
  });
});

describe('a gateway of its own', () => {
  it('ends a stream with the access token that it was opened with, and the session goes on', async () => {
    const own = await startTollhouse();
    try {
      const who = await enterHouse(own);
      const stream = await watching(who, own);
      own.resources.clock.now = () => new Date(who.expiresAt).getTime();
      expect([await stream.nextCode(), await stream.nextCode()]).toEqual(['UNAUTHENTICATED', 'complete']);
      const [row] = await sql(own, 'select ended_at from sessions where id = $1', [sessionIdOf(who)]);
      expect(row?.ended_at).toBe(null);
    } finally {
      await own.stop();
    }
  });

  it('ends every stream when it is told to end, and leaves no connection behind', async () => {
    const own = await startTollhouse();
    const stream = await watching(await enterHouse(own), own);
    const { gateway, resources } = own;
    await Promise.all([gateway.drain(), expect(stream.nextCode()).resolves.toBe('closed')]);
    await resources.streams.stop();
    const rows = await sql(
      own,
      `select from pg_stat_activity where datname = current_database() and application_name = 'tollhouse hints'`,
    );
    expect(rows).toEqual([]);
    await own.stop();
  });
});
