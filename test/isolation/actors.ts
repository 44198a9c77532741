import { createHash } from 'node:crypto';
import pg from 'pg';
import { enter, type Scene } from '../../src/database/scene.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';

/** Somebody who asks the database, as the gateway would let them, or as the operator. */
export interface Actor {
  readonly name: string;
  /** Null for the bare login, and for the operator, whom the gateway's login cannot become. */
  readonly scene: Scene | null;
  readonly operator?: true;
}

/** Everybody who can ask, in or for the tenant. */
export function actorsOf(tenant: Tenant): readonly Actor[] {
  const [link] = tenant.links;
  const [order] = tenant.orders;
  const requestId = 'isolation';
  const { organizationId } = tenant;
  const { address, sessionId } = tenant.people.OWNER;
  const hash = (text = ''): Buffer => createHash('sha256').update(text).digest();
  return [
    { name: 'login', scene: null },
    { name: 'public', scene: { kind: 'public', requestId } },
    {
      name: 'slug',
      scene: { kind: 'public', requestId, handle: { kind: 'payment-link', valueHash: hash(link?.slug) } },
    },
    {
      name: 'token',
      scene: { kind: 'public', requestId, handle: { kind: 'payment-order', valueHash: hash(order?.token) } },
    },
    { name: 'identity', scene: { kind: 'identity', requestId } },
    {
      name: 'proved',
      scene: { kind: 'identity', requestId, sessionId, account: { issuer: 'eip155', subject: address } },
    },
    { name: 'OWNER', scene: memberScene(tenant, 'OWNER', requestId) },
    { name: 'ADMIN', scene: memberScene(tenant, 'ADMIN', requestId) },
    { name: 'MEMBER', scene: memberScene(tenant, 'MEMBER', requestId) },
    { name: 'worker', scene: { kind: 'worker', requestId } },
    { name: 'inside', scene: { kind: 'worker', requestId, organizationId } },
    { name: 'operator', scene: null, operator: true },
  ];
}

/** Runs as the actor in a transaction that is undone; each statement may fail without ending it. */
export async function act<Result>(
  { adminUrl, gatewayUrl }: { readonly adminUrl: string; readonly gatewayUrl: string },
  actor: Actor,
  run: (attempt: Attempt) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: actor.operator ? adminUrl : gatewayUrl });
  await client.connect();
  try {
    await client.query('begin');
    if (actor.scene) await client.query(enter(actor.scene) as pg.QueryConfig);
    if (actor.operator) await client.query('set local role tollhouse_operator');
    return await run((text, values) => attempt(client, text, values));
  } finally {
    await client.end();
  }
}

/** One statement: its rows and count, or the SQLSTATE that it failed with; what it changed is undone at once. */
export type Attempt = (text: string, values?: unknown[]) => Promise<Outcome>;

export interface Outcome {
  readonly code: string | null;
  readonly rows: Record<string, unknown>[];
  readonly count: number;
}

async function attempt(client: pg.Client, text: string, values: unknown[] = []): Promise<Outcome> {
  await client.query('savepoint attempt');
  try {
    const { rows, rowCount } = await client.query<Record<string, unknown>>(text, values);
    return { code: null, rows, count: rowCount ?? 0 };
  } catch (error) {
    return { code: (error as pg.DatabaseError).code ?? String(error), rows: [], count: 0 };
  } finally {
    await client.query('rollback to savepoint attempt');
  }
}
