import { isDeepStrictEqual } from 'node:util';
import { withSession } from '../src/database/session.ts';
import { openConnection } from './connection.ts';
import type { Answer, Operation, Pick } from './faces/face.ts';
import { picksFor, writeRequest } from './requests.ts';
import { FACES, type System } from './systems.ts';
import type { World } from './world.ts';

const COMPARED = 8;

/**
 * Asks every system the same, and compares what they say; for the write, what they have written too.
 * @throws Error that shows the first difference, or the first answer that is none
 */
export async function assertAgreement(
  systems: readonly System[],
  operations: readonly Operation[],
  { world, adminUrl }: { readonly world: World; readonly adminUrl: string },
): Promise<void> {
  for (const operation of operations) {
    for (const pick of picksFor(operation, world).slice(0, COMPARED)) {
      const answers = await inTurn(systems, (system) => askOnce(system, operation, pick));
      assertSame(operation, systems, answers);
    }
  }
  if (!operations.includes('M1')) return;
  const [pick] = picksFor('M1', world) as [Pick];
  const written = await inTurn(systems, async (system) => {
    const before = await countRows(adminUrl);
    await askOnce(system, 'M1', pick);
    const after = await countRows(adminUrl);
    return Object.fromEntries(Object.entries(after).map(([table, rows]) => [table, rows - (before[table] ?? 0)]));
  });
  assertSame('the rows that M1 adds', systems, written);
}

/**
 * Sends one request, and reads its answer.
 * @param headers besides those that each request to the system has
 */
export async function askOnce(
  { name, port }: System,
  operation: Operation,
  pick: Pick,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const connection = await openConnection(port);
  try {
    const answer = await connection.send(Buffer.from(writeRequest(name, operation, pick, headers)));
    const { data, errors } = bodyOf(answer) as { data?: never; errors?: unknown };
    if (errors || !data)
      throw new Error(`${name} fails ${operation}: ${JSON.stringify(errors ?? answer.toString()).slice(0, 2_000)}`);
    return FACES[name].read(operation, data);
  } finally {
    connection.close();
  }
}

function bodyOf(answer: Buffer): unknown {
  const text = answer.toString();
  return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
}

function assertSame(what: string, systems: readonly System[], answers: readonly unknown[]): void {
  for (const [index, answer] of answers.entries()) {
    if (isDeepStrictEqual(answer, answers[0])) continue;
    const said = [0, index].map((place) => `${systems[place]?.name}: ${JSON.stringify(answers[place])}`);
    throw new Error(`The systems do not agree on ${what}.\n${said.join('\n')}`);
  }
}

async function countRows(adminUrl: string): Promise<Record<string, number>> {
  const { rows } = await withSession(adminUrl, (client) =>
    client.query<Record<string, number>>(`/* countRows */
      select
        (select count(*)::int from payment_links) as payment_links,
        (select count(*)::int from payment_link_accepts) as payment_link_accepts,
        (select count(*)::int from handles) as handles,
        (select count(*)::int from watched_accounts) as watched_accounts,
        (select count(*)::int from events) as events,
        (select count(*)::int from audit_entries) as audit_entries`),
  );
  return rows[0] ?? {};
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
