import { existsSync, readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { withSession } from './database/session.ts';
import { OWNER_URL_FILE } from './development.ts';
import { readEnvironment } from './environment.ts';
import { showAddress, storeAddress } from './kernel/address.ts';
import { cleanReason } from './tenancy/model.ts';

const USAGE = `Say one of:
  npm run operator -- grant --wallet 0x… --reason "…"
  npm run operator -- revoke --wallet 0x… --reason "…"
  npm run operator -- list`;

/** Whoever has the machine: by the owner's login, or in a checkout by its folder. */
function readOwnerUrl(): string {
  const { DATABASE_URL, DATABASE_OWNER_URL } = process.env;
  const environment = readEnvironment({ DATABASE_URL, DATABASE_OWNER_URL });
  if (environment.DATABASE_OWNER_URL) return environment.DATABASE_OWNER_URL;
  const kept = join(process.cwd(), '.tollhouse', OWNER_URL_FILE);
  if (!environment.DATABASE_URL && existsSync(kept)) return readFileSync(kept, 'utf8');
  throw new Error('Set DATABASE_OWNER_URL and DATABASE_URL; the embedded database must be running (npm start).');
}

async function run([verb, ...rest]: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...rest],
    options: { wallet: { type: 'string' }, reason: { type: 'string' } },
    strict: true,
  });
  const { wallet, reason } = values;
  if (verb === 'list' && !wallet && !reason) return asDoorkeeper(list);
  if ((verb !== 'grant' && verb !== 'revoke') || !wallet || !reason) throw new Error(USAGE);
  const address = storeAddress(wallet);
  if (!address) throw new Error('A wallet is 0x and forty hexadecimal digits, in lower case or with its checksum.');
  const deed = { address, reason: cleanReason(reason), by: `${userInfo().username}@${hostname()}`.slice(0, 200) };
  await asDoorkeeper((client) => (verb === 'grant' ? grant(client, deed) : revoke(client, deed)));
}

/** One transaction of the role that keeps the table; only the owner may become it. */
async function asDoorkeeper(run: (client: pg.Client) => Promise<void>): Promise<void> {
  await withSession(readOwnerUrl(), async (client) => {
    await client.query('begin');
    await client.query('set local role tollhouse_doorkeeper');
    await run(client);
    await client.query('commit');
  });
}

interface Deed {
  /** In lower case. */
  readonly address: string;
  readonly reason: string;
  readonly by: string;
}

/** Whom a wallet proves; a contract's address may be another user's on each chain. */
async function findUser(client: pg.Client, address: string): Promise<{ id: string; name: string }> {
  const { rows } = await client.query<{ id: string; name: string }>(
    `/* findUserOfWallet */
    select distinct u.id, u.display_name as name
    from identities i
    join users u on u.id = i.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where i.kind = 'WALLET' and i.address = $1`,
    [address],
  );
  const [user, another] = rows;
  if (!user) throw new Error('Nobody has signed in with this wallet; sign in once, then grant it.');
  if (another) throw new Error('This address is a wallet of several users; name another wallet of the one you mean.');
  return user;
}

async function grant(client: pg.Client, { address, reason, by }: Deed): Promise<void> {
  const { id, name } = await findUser(client, address);
  const { rowCount } = await client.query(
    `/* grantOperator */
    insert into operators (user_id, granted_by, reason)
    values ($1, $2, $3)
    on conflict (user_id) where revoked_at is null do nothing`,
    [id, by, reason],
  );
  console.log(rowCount ? `${name} is an operator now.` : `${name} is an operator already.`);
}

async function revoke(client: pg.Client, { address, reason, by }: Deed): Promise<void> {
  const { id, name } = await findUser(client, address);
  const { rowCount } = await client.query(
    `/* revokeOperator */
    update operators
    set revoked_at = clock_timestamp(), revoked_by = $2, revoke_reason = $3
    where user_id = $1 and revoked_at is null`,
    [id, by, reason],
  );
  console.log(rowCount ? `${name} is no operator any more.` : `${name} is no operator.`);
}

async function list(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ line: string; address: string | null }>(`/* listOperators */
    select
      concat_ws(
        '  ', to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), u.display_name,
        'by ' || o.granted_by || ': ' || o.reason,
        'revoked ' || to_char(o.revoked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') || ' by ' || o.revoked_by
          || ': ' || o.revoke_reason
      ) as line,
      (select i.address from identities i where i.user_id = u.id and i.is_primary) as address
    from operators o
    join users u on u.id = o.user_id
    order by o.created_at, o.id`);
  for (const { line, address } of rows) console.log(address ? `${showAddress(address)}  ${line}` : line);
  if (rows.length === 0) console.log('Nobody is an operator.');
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  // a host with several addresses that all refuse gives one error with no words of its own
  const reasons = error instanceof AggregateError ? error.errors : [error];
  console.error(reasons.map((reason) => (reason as Error).message).join('\n'));
  process.exitCode = 1;
}
