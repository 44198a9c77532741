import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import { startAnvil } from './chain/providers/anvil.ts';
import { deployTestToken } from './chain/providers/testToken.ts';
import { startEmbeddedPostgres } from './database/embedded.ts';
import { GATEWAY_LOGIN, OPERATOR_LOGIN } from './database/roles.ts';
import type { ChainSetting, Environment, SigningKey } from './environment.ts';
import { keptTokenKeys } from './identity/providers/tokenKeys.ts';
import { claimFolder } from './local/folder.ts';
import { replaceFile } from './local/replaceFile.ts';

/** What a gateway outside production has of its own, in `.tollhouse/`, instead of what production must be given. */
export interface Development {
  readonly databaseUrl: string;
  /** The operator's own login; null where only others' were given. */
  readonly operatorUrl: string | null;
  /** Who migrates; null when only the gateway's own login was given. */
  readonly ownerUrl: string | null;
  /** Whether the database is our own: only then there are demo data and demo wallets. */
  readonly embedded: boolean;
  readonly chains: readonly ChainSetting[];
  /** Whether the local chain is among them. */
  readonly hasLocalChain: boolean;
  readonly tokenKeys: readonly SigningKey[];
  /** Tells a second start in this folder where the first one answers. */
  announce(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** Claims the checkout's folder and starts what the environment does not name: PostgreSQL, a local chain. */
export async function openDevelopment(root: string, environment: Environment, log: Logger): Promise<Development> {
  const folder = await claimFolder(root, log);
  const running: { stop(): Promise<void> }[] = [{ stop: () => folder.release() }];
  const stop = async (): Promise<void> => {
    for (const server of running.splice(0).reverse()) await server.stop();
  };
  try {
    // Both are waited for even if one fails, so that whatever did start is stopped.
    const [urls, localChain, tokenKeys] = await allStarted([
      environment.DATABASE_URL
        ? {
            databaseUrl: environment.DATABASE_URL,
            operatorUrl: environment.OPERATOR_DATABASE_URL ?? null,
            ownerUrl: environment.DATABASE_OWNER_URL ?? null,
            embedded: false,
          }
        : startEmbeddedPostgres({ folder, log }).then(async (postgres) => {
            running.push(postgres);
            return { ...(await ownDatabase(postgres.url, folder.path)), embedded: true };
          }),
      environment.CHAINS
        ? null
        : startAnvil({ folder, log, binary: environment.ANVIL_BIN }).then(async (chain) => {
            if (chain) running.push(chain);
            return chain && localChainSetting(chain.url);
          }),
      environment.TOKEN_KEYS ?? keptTokenKeys(join(folder.path, 'token-keys.json')),
    ]);
    return {
      ...urls,
      chains: environment.CHAINS ?? (localChain ? [localChain] : []),
      hasLocalChain: localChain !== null,
      tokenKeys,
      announce: (url) => folder.announce(url),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As `Promise.all`, but rejects only when nothing is under way any more. */
async function allStarted<Parts extends readonly unknown[]>(
  parts: Parts,
): Promise<{ -readonly [Index in keyof Parts]: Awaited<Parts[Index]> }> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

/** Where the owner of the embedded database logs in, in the checkout's folder; for its own account alone to read. */
export const OWNER_URL_FILE = 'owner.url';

/** The database of the embedded server, with logins of their own for owner, gateway and operator; made once. */
async function ownDatabase(
  adminUrl: string,
  folder: string,
): Promise<{ databaseUrl: string; operatorUrl: string; ownerUrl: string }> {
  const [owner, gateway] = [keptPassword(folder, 'owner'), keptPassword(folder, 'gateway')];
  const operator = keptPassword(folder, 'operator');
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ owner: boolean; database: boolean }>(`/* ownDatabase */
      select
        exists (select from pg_roles where rolname = 'tollhouse_owner') as owner,
        exists (select from pg_database where datname = 'tollhouse') as database`);
    if (!rows[0]?.owner) {
      await admin.query(`create role tollhouse_owner login noinherit createrole password '${owner}'`);
    }
    if (!rows[0]?.database) await admin.query('create database tollhouse owner tollhouse_owner');
  } finally {
    await admin.end();
  }
  const as = (username: string, password: string): string =>
    Object.assign(new URL(adminUrl), { username, password, pathname: '/tollhouse' }).href;
  const ownerUrl = as('tollhouse_owner', owner);
  // for `npm run operator`, which must find the server whatever its port is this time
  replaceFile(join(folder, OWNER_URL_FILE), ownerUrl);
  return { databaseUrl: as(GATEWAY_LOGIN, gateway), operatorUrl: as(OPERATOR_LOGIN, operator), ownerUrl };
}

function keptPassword(folder: string, login: string): string {
  const path = join(folder, `${login}.password`);
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

async function localChainSetting(url: string): Promise<ChainSetting> {
  const { address } = await deployTestToken({ rpcUrl: url });
  return {
    chainId: 31_337,
    name: 'Local chain',
    testnet: true,
    rpcUrl: url,
    publicRpcUrl: url,
    finality: { kind: 'CONFIRMATIONS', confirmations: 2 },
    assets: [
      { symbol: 'ETH', name: 'Ether', decimals: 18 },
      { address, symbol: 'TUSD', name: 'Toll Test Dollar', decimals: 6 },
    ],
  };
}
