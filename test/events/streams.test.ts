import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG_START, readEventCursor, writeEventCursor } from '../../src/events/model.ts';
import { newId } from '../../src/kernel/ids.ts';
import { openStream, type Stream } from '../identity/stream.ts';
import { enterHouse, rowId, type SignedIn, sessionIdOf, sql } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { changeKey, makeKey } from '../tenancy/keyHolder.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({
    settings: { LIMIT_STREAMS_PER_SESSION: '30', LIMIT_STREAMS_PER_CLIENT: '60' },
  });
});
afterAll(() => house.stop());

interface Told {
  readonly events: { readonly cursor: string; readonly node: { readonly type: string; readonly aggregateId: string } };
}

type Asker = Pick<SignedIn, 'accessToken'>;

/** Opens the log as it goes on, or from a place in it. */
function openLog(who: Asker | undefined, given: object = {}): Promise<Stream<Told>> {
  const written = Object.entries(given).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const query = `subscription { events${written.length > 0 ? `(${written.join()})` : ''} {
    cursor node { type aggregateId }
  } }`;
  return openStream<Told>(house.url, query, who?.accessToken);
}

const START = writeEventCursor(LOG_START);

/** What comes next, or the code that the stream ended with. */
async function next(stream: Stream<Told>): Promise<Told['events']> {
  const event = await stream.next();
  const told = event?.data?.data?.events;
  if (!told) throw new Error(`No fact: ${event?.data?.errors?.[0]?.extensions.code ?? event?.event ?? 'closed'}`);
  return told;
}

const organizationOf = (who: SignedIn): string => rowId(who.viewer.organization.id);

/** Tells a fact past the law, with or without a transaction that is still open, and answers what it is about. */
async function tell(
  who: SignedIn,
  { type = 'domain.added', client }: { readonly type?: string; readonly client?: pg.Client } = {},
): Promise<string> {
  const id = newId();
  const text = `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data,
      metadata)
    values ($1, $2::text, split_part($2, '.', 1), $3::uuid, 1, 'worker', array['thing:' || $3], '{}', '{}')`;
  const values = [organizationOf(who), type, id];
  await (client ? client.query(text, values) : sql(house, text, values));
  return id;
}

/** A stream that is known to be open: what was told just before it has come. */
async function openedAt(who: SignedIn, given: object = {}): Promise<Stream<Told>> {
  const mark = await tell(who);
  const stream = await openLog(who, { after: START, ...given });
  for (let id = ''; id !== mark; ) id = (await next(stream)).node.aggregateId;
  return stream;
}

async function inSession(run: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: house.database.adminUrl });
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}

/** Ends the connection that the gateway listens on, and keeps whatever is told from being hinted at. */
async function deafened(run: () => Promise<void>): Promise<void> {
  await sql(house, 'alter table events disable trigger events_tell_streams');
  await sql(
    house,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'tollhouse hints'`,
  );
  try {
    await run();
  } finally {
    await sql(house, 'alter table events enable trigger events_tell_streams');
  }
}

describe('the log, followed', () => {
  it('is told from a cursor on and then as it goes on, in order, without a gap and with each fact’s place', async () => {
    const who = await enterHouse(house);
    const stream = await openLog(who, { after: START });
    expect((await next(stream)).node.type).toBe('organization.created');
    const signedUp = await next(stream);
    expect(signedUp.node.type).toBe('user.signed-up');
    const ids = [await tell(who), await tell(who), await tell(who)];
    const first = await next(stream);
    expect([
      first.node.aggregateId,
      (await next(stream)).node.aggregateId,
      (await next(stream)).node.aggregateId,
    ]).toEqual(ids);
    stream.leave();
    // whoever went away comes back with the last cursor that was taken care of
    const again = await openLog(who, { after: first.cursor });
    expect([(await next(again)).node.aggregateId, (await next(again)).node.aggregateId]).toEqual(ids.slice(1));
    again.leave();
  });

  it('is told from now on without a cursor', async () => {
    const who = await enterHouse(house);
    // what is of before can be read by then, and so is of before
    (await openedAt(who)).leave();
    const stream = await openLog(who);
    // until it is open nobody knows what is told from now on
    const known = new Set<string>();
    const seen = next(stream);
    let arrived = false;
    void seen.finally(() => {
      arrived = true;
    });
    while (!arrived) {
      known.add(await tell(who));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(known).toContain((await seen).node.aggregateId);
    stream.leave();
  });

  it('is told in pages, however long it is, and in the order of one transaction too', async () => {
    const who = await enterHouse(house);
    await sql(
      house,
      `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
       select $1, 'domain.added', 'domain', $2, n, 'worker', '{}', '{}' from generate_series(1, 250) n`,
      [organizationOf(who), newId()],
    );
    const stream = await openLog(who, { after: START, types: ['domain.added'] });
    const cursors = new Set<string>();
    for (let count = 0; count < 250; count += 1) cursors.add((await next(stream)).cursor);
    const positions = [...cursors].map((cursor) => readEventCursor(cursor).position);
    expect(positions).toEqual(Array.from({ length: 250 }, (_, index) => (positions[0] ?? 0n) + BigInt(index)));
    stream.leave();
  });

  it('is narrowed down by types and tags', async () => {
    const who = await enterHouse(house);
    const [one, other] = [await tell(who), await tell(who, { type: 'domain.removed' })];
    const byType = await openLog(who, { after: START, types: ['domain.removed', 'domain.verified'] });
    const byTag = await openLog(who, { after: START, tags: [`thing:${one}`] });
    expect([(await next(byType)).node.aggregateId, (await next(byTag)).node.aggregateId]).toEqual([other, one]);
    const later = await tell(who, { type: 'domain.verified' });
    expect((await next(byType)).node.aggregateId).toBe(later);
    byType.leave();
    byTag.leave();
  });

  it('loses nothing of a writer that began before and commits behind a later one', async () => {
    const who = await enterHouse(house);
    const stream = await openedAt(who);
    await inSession(async (client) => {
      await client.query('begin');
      const slow = await tell(who, { client });
      const fast = await tell(who);
      await client.query('commit');
      expect([(await next(stream)).node.aggregateId, (await next(stream)).node.aggregateId]).toEqual([slow, fast]);
    });
    stream.leave();
  });

  it('is nobody else’s: neither another organization’s member nor its key is told of it', async () => {
    const [one, other] = [await enterHouse(house), await enterHouse(house)];
    const stream = await openedAt(other);
    await tell(one);
    const own = await tell(other);
    expect((await next(stream)).node.aggregateId).toBe(own);
    stream.leave();
  });

  it('of another organization is followed neither by its cursor nor by its tags', async () => {
    const [one, other] = [await enterHouse(house), await enterHouse(house)];
    const theirs = await tell(other);
    const following = await openLog(other, { after: START, tags: [`thing:${theirs}`] });
    const { cursor } = await next(following);
    following.leave();
    // theirs, and one of nobody: the answer is one's own, or nothing
    const own: string[] = [];
    for (const after of [cursor, writeEventCursor({ ...readEventCursor(cursor), position: 2n ** 40n })]) {
      const stream = await openLog(one, { after });
      await tell(other);
      own.push(await tell(one));
      for (const id of own) expect((await next(stream)).node.aggregateId).toBe(id);
      stream.leave();
    }
    for (const id of [theirs, newId()]) {
      const stream = await openLog(one, { after: START, tags: [`thing:${id}`] });
      await tell(other);
      // an own fact that says that it is about the same
      await sql(
        house,
        `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data,
           metadata) values ($1, 'domain.added', 'domain', $2, 1, 'worker', array['thing:' || $3], '{}', '{}')`,
        [organizationOf(one), newId(), id],
      );
      expect((await next(stream)).node.type).toBe('domain.added');
      stream.leave();
    }
  });

  it('goes on when no hint is heard and the connection that hears them is dead', async () => {
    const who = await enterHouse(house);
    const stream = await openedAt(who);
    await deafened(async () => {
      const id = await tell(who);
      expect((await next(stream)).node.aggregateId).toBe(id);
    });
    stream.leave();
  });
});

/** What ends a stream, and the code that it ends with. */
const ENDS: readonly [what: string, code: string, end: (who: SignedIn) => Promise<unknown>][] = [
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
    (who) =>
      sql(house, `update memberships set status = 'REMOVED' where organization_id = $1 and user_id = $2`, [
        organizationOf(who),
        rowId(who.viewer.user.id),
      ]),
  ],
  [
    'the organization’s being suspended',
    'ORGANIZATION_SUSPENDED',
    (who) => sql(house, `update organizations set status = 'SUSPENDED' where id = $1`, [organizationOf(who)]),
  ],
];

describe('a stream of the log', () => {
  it.each(ENDS)('ends with %s, and nothing that is told afterwards is shown: %s', async (_, code, end) => {
    const who = await enterHouse(house);
    const stream = await openedAt(who);
    await end(who);
    await tell(who);
    expect([await stream.nextCode(), await stream.nextCode(), await stream.nextCode()]).toEqual([
      code,
      'complete',
      'closed',
    ]);
  });

  it('is refused to nobody in particular, to who has signed out, and for what is no cursor', async () => {
    const who = await enterHouse(house);
    const odd = await openLog(who, { after: 'x' });
    expect([await odd.nextCode(), await odd.nextCode()]).toEqual(['INVALID_CURSOR', 'complete']);
    const nobody = await openLog(undefined);
    expect([await nobody.nextCode(), await nobody.nextCode()]).toEqual(['UNAUTHENTICATED', 'complete']);
    await house.ask('mutation { signOut { signedOut } }', {}, { token: who.accessToken });
    const late = await openLog(who);
    expect([await late.nextCode(), await late.nextCode()]).toEqual(['UNAUTHENTICATED', 'complete']);
  });

  it('is an API key’s that may read events, until it is revoked, and no other’s', async () => {
    const who = await enterHouse(house);
    const reading = await makeKey(house, who.accessToken, { scopes: ['events:read'] });
    const other = await makeKey(house, who.accessToken, { scopes: ['payments:read'] });
    const mark = await tell(who);
    const stream = await openLog({ accessToken: reading.text }, { after: START, tags: [`thing:${mark}`] });
    expect((await next(stream)).node.aggregateId).toBe(mark);
    for (const after of [START, undefined]) {
      const refused = await openLog({ accessToken: other.text }, after ? { after } : {});
      expect([await refused.nextCode(), await refused.nextCode()]).toEqual(['FORBIDDEN', 'complete']);
    }
    await changeKey(house, who.accessToken, 'revokeApiKey', { id: reading.id });
    expect([await stream.nextCode(), await stream.nextCode()]).toEqual(['API_KEY_REFUSED', 'complete']);
  });
});
