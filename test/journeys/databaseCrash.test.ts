import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { clearLeftovers, until } from '../local/children.ts';
import { FULL, SEED, seeded } from '../support/scale.ts';
import { seedTenants, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { openWire, type Wire } from '../support/wire.ts';
import { type LinkMakers, setToWork, type Wish } from './linkMakers.ts';
import { type MortalPostgres, openMortalPostgres } from './mortalPostgres.ts';

const ROUNDS = FULL ? 10 : 2;
/** After what time a gateway may be expected to know that its database is there again. */
const LONGEST_WAIT_MS = 5_000;

let postgres: MortalPostgres;
let world: World;
let tollhouse: TestTollhouse;
let makers: LinkMakers;
/** A way of some length, so that a death meets answers that are on it. */
let wire: Wire;

beforeAll(async () => {
  postgres = await openMortalPostgres();
  const { database } = postgres;
  world = await seedTenants(database.adminUrl, { tenants: 3 });
  wire = await openWire(database.gatewayUrl, { delay: 30 });
  const gatewayUrl = wire.through(database.gatewayUrl);
  tollhouse = await startTollhouse({ database: { ...database, gatewayUrl }, settings: { DATABASE_POOL_MAX: '5' } });
});
afterAll(async () => {
  await tollhouse?.stop();
  await wire?.close();
  await clearLeftovers();
});

/** The status that the gateway answers whoever asks whether it is ready, or lives. */
async function health(what: 'ready' | 'live'): Promise<number> {
  const response = await fetch(new URL(`/health/${what}`, tollhouse.url));
  await response.arrayBuffer();
  return response.status;
}

interface Stored {
  readonly id: string;
  readonly title: string;
  readonly organization_id: string;
  readonly events: number;
  readonly accepts: number;
  readonly handles: number;
  readonly keys: number;
}

/** All links but those of the seed, with how often the database holds what belongs to each. */
async function stored(): Promise<Map<string, Stored[]>> {
  const { rows } = await withSession(postgres.database.adminUrl, (client) =>
    client.query<Stored>(`
      select l.id, l.title, l.organization_id,
        (select count(*)::int from events e where e.aggregate_id = l.id and e.type = 'payment-link.created') as events,
        (select count(*)::int from payment_link_accepts a where a.payment_link_id = l.id) as accepts,
        (select count(*)::int from handles h where h.target_id = l.id) as handles,
        (select count(*)::int from idempotency_keys k where k.result_id = l.id) as keys
      from payment_links l
      where l.title not like '% link _'`),
  );
  const links = new Map<string, Stored[]>();
  for (const row of rows) links.set(row.title, [...(links.get(row.title) ?? []), row]);
  return links;
}

/** What a wish must have come to, by what its client was told. */
function mayHave({ id, code, keyed, organizationId }: Wish, links: readonly Stored[]): boolean {
  if (id === undefined && links.length === 0) return true;
  if (id === undefined && code !== 'OUTCOME_UNKNOWN') return false;
  const [link] = links;
  return (
    links.length === 1 &&
    link?.organization_id === organizationId &&
    (id === undefined || id === encodeGlobalId('PaymentLink', link.id)) &&
    [link.events, link.accepts, link.handles].every((count) => count === 1) &&
    link.keys === (keyed ? 1 : 0)
  );
}

describe('a gateway whose PostgreSQL is killed under load', () => {
  it('lives, says when it is ready, and is ready soon after each return', { timeout: 600_000 }, async () => {
    console.log(`databaseCrash: TOLLHOUSE_TEST_SEED=${SEED}`);
    const random = seeded(SEED);
    expect(await health('ready')).toBe(200);
    makers = await setToWork(tollhouse, world, { clients: 12, random: seeded(SEED + 1) });
    for (let round = 0; round < ROUNDS; round += 1) {
      const enough = makers.made() + 40;
      await until(() => makers.made() >= enough);
      await sleep(random() * 100);
      await postgres.kill();
      for (let looks = 0; looks < 3 + random() * 8; looks += 1) {
        expect(await health('ready')).toBe(503);
        expect(await health('live')).toBe(200);
        await sleep(50);
      }
      await postgres.start();
      const returned = performance.now();
      while ((await health('ready')) !== 200) await sleep(50);
      const waited = performance.now() - returned;
      console.log(`ready ${Math.round(waited)} ms after PostgreSQL`);
      expect(waited).toBeLessThan(LONGEST_WAIT_MS);
    }
    await makers.stop();
    expect(await health('live')).toBe(200);
  });

  it('answers each call with what was asked for, or with a failure that says whether to try again', () => {
    const { failures, wrong } = makers;
    console.log(`${makers.made()} links, ${makers.read()} reads, ${JSON.stringify(Object.fromEntries(failures))}`);
    const known = new Set([
      'UNAVAILABLE true',
      'OUTCOME_UNKNOWN false',
      'TIMED_OUT true',
      'CONFLICT true',
      'IDEMPOTENCY_IN_PROGRESS true',
    ]);
    expect(wrong).toEqual([]);
    expect([...failures.keys()].filter((failure) => !known.has(failure))).toEqual([]);
    expect(failures.get('UNAVAILABLE true')).toBeGreaterThan(ROUNDS);
    expect(makers.made()).toBeGreaterThan(ROUNDS * 40);
    expect(makers.read()).toBeGreaterThan(ROUNDS * 10);
  });

  it('has lost nothing that it acknowledged, and has done nothing twice or against its word', async () => {
    const links = await stored();
    const { wishes } = makers;
    const broken = wishes
      .filter((wish) => !mayHave(wish, links.get(wish.title) ?? []))
      .map((wish) => ({ ...wish, links: links.get(wish.title) }));
    expect(broken).toEqual([]);
    // A key is tried again until it is answered.
    expect(wishes.filter(({ keyed, id }) => keyed && id === undefined)).toEqual([]);
    const wished = new Set(wishes.map(({ title }) => title));
    expect([...links.keys()].filter((title) => !wished.has(title))).toEqual([]);
  });
});
