import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const full = process.env.TOLLHOUSE_TEST_SCALE === 'full';
const TENANTS = 20;
const REQUESTS = full ? 4_000 : 240;
const CLIENTS = full ? 100 : 50;

let tollhouse: TestTollhouse;
let tenants: readonly Tenant[];
let tokens: readonly string[];
/** Connected before the storm, since in it a connection may take longer than anybody waits. */
let executioner: pg.Client;

beforeAll(async () => {
  tollhouse = await startTollhouse({ settings: { DATABASE_POOL_MAX: '5' } });
  executioner = new pg.Client({ connectionString: tollhouse.database.adminUrl });
  await executioner.connect();
  ({ tenants } = await seedTenants(tollhouse.database.adminUrl, { tenants: TENANTS }));
  tokens = await Promise.all(
    tenants.map(async ({ organizationId, people }) => {
      const { token } = await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId });
      return token;
    }),
  );
});
afterAll(async () => {
  await executioner.end();
  await tollhouse.stop();
});

const QUERY = `query ($own: ID!, $theirs: ID!, $slug: String!) {
  viewer { user { displayName } organization { name } }
  own: node(id: $own) { ... on PaymentLink { title createdBy { displayName } } }
  theirs: node(id: $theirs) { id }
  organization { paymentLinks { edges { node { title orders { edges { node { id } } } } } } }
  checkout(slug: $slug) { organizationName }
}`;

/** Ends all of the gateway's connections to the database, whatever they are doing. */
async function kill(): Promise<number> {
  const { rowCount } = await executioner.query(`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename = 'tollhouse_gateway' and application_name = 'tollhouse'`);
  return rowCount ?? 0;
}

describe('many tenants at once, over few connections that are being killed', () => {
  it('are each answered with their own, or with a failure that may be tried again', { timeout: 600_000 }, async () => {
    const markers = tenants.map(({ marker }) => marker);
    const wrong: string[] = [];
    const codes = new Set<string>();
    let answered = 0;
    let killed = 0;
    let turn = 0;
    const client = async (): Promise<void> => {
      while (turn < REQUESTS) {
        const mine = turn++;
        if (mine % (REQUESTS / 8) === REQUESTS / 16) killed += await kill();
        const tenant = tenants[mine % TENANTS] as Tenant;
        const neighbour = tenants[(mine + 1) % TENANTS] as Tenant;
        const { data, errors } = await tollhouse.ask(
          QUERY,
          {
            own: encodeGlobalId('PaymentLink', tenant.links[0]?.id ?? ''),
            theirs: encodeGlobalId('PaymentLink', neighbour.links[0]?.id ?? ''),
            slug: tenant.links[1]?.slug,
          },
          { token: tokens[mine % TENANTS] ?? '' },
        );
        const text = JSON.stringify({ data, errors });
        for (const { extensions } of errors) codes.add(`${extensions.code} ${extensions.retryable}`);
        if (errors.length === 0) answered += 1;
        if (errors.length === 0 && text.split(tenant.marker).length !== 9) wrong.push(text);
        if (markers.some((marker) => marker !== tenant.marker && text.includes(marker))) wrong.push(text);
        if (data?.theirs) wrong.push(text);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(wrong).toEqual([]);
    expect(killed).toBeGreaterThan(5);
    expect([...codes].filter((code) => code !== 'UNAVAILABLE true')).toEqual([]);
    expect(answered).toBeGreaterThan(REQUESTS / 2);
    const calm = await tollhouse.ask('{ viewer { organization { name } } }', {}, { token: tokens[0] ?? '' });
    expect(calm.data).toEqual({ viewer: { organization: { name: markers[0] } } });
  });
});
