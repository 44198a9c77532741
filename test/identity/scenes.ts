import pg from 'pg';
import { enter, type Scene } from '../../src/database/scene.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { rowId, type SignedIn, sessionIdOf } from './visitor.ts';

/** What came of raw statements in a scene: the last one's rows and count, or the SQLSTATE that ended it. */
export interface SceneOutcome {
  readonly code: string;
  readonly count: number;
  readonly rows: readonly Record<string, unknown>[];
}

type Member = Extract<Scene, { kind: 'member' }>;

/** The scene that somebody's requests are in. */
export function sceneOf(who: SignedIn, changes: Partial<Member> = {}): Member {
  const organizationId = rowId(who.viewer.organization.id);
  return { kind: 'member', requestId: 'raw', sessionId: sessionIdOf(who), organizationId, ...changes };
}

/**
 * Runs statements as the gateway's login would in the scene, if a command let through what they are; what is asked when
 * a transaction ends is asked, and everything is undone.
 */
export async function runIn(
  { database }: Pick<TestTollhouse, 'database'>,
  scene: Scene,
  ...statements: readonly string[]
): Promise<SceneOutcome> {
  const client = new pg.Client({ connectionString: database.gatewayUrl });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(enter(scene) as pg.QueryConfig);
    let result: pg.QueryResult<Record<string, unknown>> | null = null;
    for (const statement of statements) result = await client.query(statement);
    await client.query('set constraints all immediate');
    return { code: 'OK', count: result?.rowCount ?? 0, rows: result?.rows ?? [] };
  } catch (error) {
    return { code: String((error as { code?: unknown }).code), count: 0, rows: [] };
  } finally {
    await client.end();
  }
}
