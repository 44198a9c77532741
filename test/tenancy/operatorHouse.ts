import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { TestDatabase } from '../support/database.ts';
import type { Person } from '../support/person.ts';
import type { Answer, TestTollhouse } from '../support/tollhouse.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Runs `npm run operator`, as whoever has the machine does; answers what it said. */
export async function operatorCommand(
  { ownerUrl, gatewayUrl }: TestDatabase,
  ...words: readonly string[]
): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATABASE_URL: gatewayUrl, DATABASE_OWNER_URL: ownerUrl };
  const said = await run(process.execPath, ['--import', 'tsx', join(root, 'src/operator.ts'), ...words], {
    cwd: root,
    env,
  }).catch((error: { stderr: string }) => ({ stdout: error.stderr }));
  return said.stdout.trim();
}

/** Makes somebody an operator, as the command would. */
export async function makeOperator(
  { database }: Pick<TestTollhouse, 'database'>,
  { userId }: Pick<Person, 'userId'>,
): Promise<void> {
  await database.sql(`insert into operators (user_id, granted_by, reason) values ($1, 'root@house', 'on duty')`, [
    idOf(userId),
  ]);
}

/** Makes somebody an operator, by the command. */
export function grant({ database }: TestTollhouse, { account }: Person): Promise<string> {
  return operatorCommand(database, 'grant', '--wallet', account.address, '--reason', 'on duty');
}

/** Rows of the database, past the law. */
export function rowsOf(
  { database }: Pick<TestTollhouse, 'database'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  return database.sql(text, [...values]);
}

/** One of the three deeds, on the organization of this global id. */
export function act(
  tollhouse: TestTollhouse,
  {
    token,
    deed,
    organizationId,
    reason = 'a complaint',
  }: {
    readonly token: string | undefined;
    readonly deed: 'suspendOrganization' | 'restoreOrganization' | 'impersonate';
    readonly organizationId: string;
    readonly reason?: string;
  },
): Promise<Answer<Record<string, never>>> {
  const input = `${deed === 'impersonate' ? 'Impersonate' : deed.replace(/^./, (first) => first.toUpperCase())}Input`;
  const selection = deed === 'impersonate' ? 'accessToken expiresAt' : 'changed organization { id status }';
  return tollhouse.ask(
    `mutation ($input: ${input}!) { ${deed}(input: $input) { ${selection} } }`,
    { input: { organizationId, reason } },
    token === undefined ? {} : { token },
  );
}

/** The codes of an answer's errors. */
export function codesOf({ errors }: Answer<unknown>): string[] {
  return errors.map(({ extensions }) => extensions.code);
}

/** What is on record in an organization, the first first. */
export async function recordsOf(tollhouse: TestTollhouse, organizationId: string): Promise<string[]> {
  const rows = await rowsOf(
    tollhouse,
    `select deed || ' ' || reason as line from operator_actions
     where organization_id = $1 order by created_at, id`,
    [idOf(organizationId)],
  );
  return rows.map(({ line }) => String(line));
}

/** What operators are told to have done in an organization, the first first. */
export async function eventsOf(tollhouse: TestTollhouse, organizationId: string): Promise<string[]> {
  const rows = await rowsOf(
    tollhouse,
    `select type from events where organization_id = $1 and actor ~ '^operator:' order by position`,
    [idOf(organizationId)],
  );
  return rows.map(({ type }) => String(type));
}

/** The UUID in a global id. */
export function idOf(globalId: string): string {
  return Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? '';
}

/** A global id of an organization that nobody has. */
export const NOBODYS = encodeGlobalId('Organization', '00000000-0000-7000-8000-000000000000');
