import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { withSession } from '../src/database/session.ts';
import { generateTokenKey } from '../src/identity/providers/tokenKeys.ts';
import type { TokenTimes } from './accessTokens.ts';
import { openBenchDatabase } from './database.ts';
import { SIGN_IN_SYSTEMS, type SignInSystem } from './faces/signIn.ts';
import { describeMachine, loadNow } from './machine.ts';
import { type Child, CORES, pin, startChild } from './processes.ts';
import { writeSection } from './section.ts';
import type { SigningResult, SigningTurn } from './signers.ts';
import { installPeers } from './stage.ts';
import { median } from './summary.ts';
import { ISSUER } from './world.ts';

// Sign-ins a second on one core, beside better-auth's plugin, on one PostgreSQL, in turns; and what it takes to check an
// access token. `--no-write` leaves RESULTS.md as it is.

const ROUNDS = 7;
const TURNS = { times: 3, concurrency: 16 };
const WARM_UP = { times: 5, concurrency: 16 };
const POOL_SIZE = 10;
/** The gateway needs a migrated database, and nothing in it. */
const SMALL = { organizations: 2, users: 2, links: 1, orders: 1 };

const BEGIN = '<!-- signing in: written by npm run bench:sign-in -->';
const END = '<!-- end of signing in -->';

const NAMES: Readonly<Record<SignInSystem, string>> = {
  tollhouse: 'Tollhouse',
  betterAuth: 'better-auth 1.7.25, SIWE plugin, signatures by viem as its documentation has it',
  betterAuthNative: 'the same, signatures by libsecp256k1 as in Tollhouse',
};

interface Running {
  readonly system: SignInSystem;
  readonly child: Child;
  readonly port: number;
}

type Keep = <Part extends { stop(): Promise<void> }>(starting: Promise<Part>) => Promise<Part>;

/** A database and a login of its own on the same server. */
async function makePeerDatabase(adminUrl: string, name: string): Promise<string> {
  const password = randomBytes(18).toString('base64url');
  await withSession(adminUrl, async (client) => {
    await client.query(`create role ${name} login password ${pg.escapeLiteral(password)}`);
    await client.query(`create database ${name} owner ${name}`);
  });
  return Object.assign(new URL(adminUrl), { username: name, password, pathname: `/${name}` }).href;
}

async function start(system: SignInSystem, keep: Keep, urls: { admin: string; gateway: string }): Promise<Running> {
  const peer = system !== 'tollhouse';
  const settings = {
    databaseUrl: peer ? await makePeerDatabase(urls.admin, system.toLowerCase()) : urls.gateway,
    poolSize: POOL_SIZE,
    tokenKeys: [generateTokenKey()],
    issuer: ISSUER,
    verifier: system === 'betterAuth' ? 'viem' : 'native',
  };
  const script = new URL(peer ? 'peers/betterAuth.mjs' : 'systems/tollhouse.ts', import.meta.url);
  const env = { BENCH_SYSTEM: JSON.stringify(settings), ...(peer && { NODE_OPTIONS: '--import tsx' }) };
  const child = await keep(startChild(script, { core: CORES.system, env }));
  return { system, child, port: (child.ready as { port: number }).port };
}

async function run(keep: Keep): Promise<string> {
  installPeers();
  const before = loadNow();
  const database = await keep(openBenchDatabase(SMALL));
  pin(database.postmaster, CORES.rest);
  const signers = await keep(startChild(new URL('signers.ts', import.meta.url), { core: CORES.rest }));
  const systems: Running[] = [];
  for (const system of SIGN_IN_SYSTEMS) {
    systems.push(await start(system, keep, { admin: database.adminUrl, gateway: database.gatewayUrl }));
  }
  const take = async (
    { system, port, child }: Running,
    turn: Omit<SigningTurn, 'system' | 'port' | 'pids'>,
  ): Promise<SigningResult> => {
    const pids = { system: child.pid, postmaster: database.postmaster };
    const asked: SigningTurn = { ...turn, system, port, pids };
    const result = await signers.ask<SigningResult & { readonly failure?: string }>(asked);
    if (result.failure !== undefined) throw new Error(result.failure);
    return result;
  };
  for (const system of systems) {
    await take(system, WARM_UP);
    for (const cheat of ['forged', 'replayed'] as const) await take(system, { ...TURNS, times: 1, cheat });
  }
  console.log('All sign the same people in, and refuse forged signatures and texts that come again.');
  const rounds: Readonly<Record<SignInSystem, SigningResult>>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const turn = [...systems.slice(round % systems.length), ...systems.slice(0, round % systems.length)];
    const results: [SignInSystem, SigningResult][] = [];
    for (const system of turn) results.push([system.system, await take(system, TURNS)]);
    rounds.push(Object.fromEntries(results) as Record<SignInSystem, SigningResult>);
    console.log(
      `${round + 1}: ${results.map(([name, { perSecond }]) => `${name} ${perSecond.toFixed(0)}/s`).join(' · ')}`,
    );
  }
  const checker = await keep(startChild(new URL('accessTokens.ts', import.meta.url), { core: CORES.system }));
  const times = await checker.ask<TokenTimes>({});
  const machine = describeMachine({ postgres: database.version, addedRoundTripMs: null, before });
  return describe(machine, rounds, times);
}

function describe(
  machine: readonly string[],
  rounds: readonly Readonly<Record<SignInSystem, SigningResult>>[],
  { unseen, seen }: TokenTimes,
): string {
  const rows = SIGN_IN_SYSTEMS.map((system) => {
    const of = (read: (result: SigningResult) => number): number => median(rounds.map((round) => read(round[system])));
    const ratios = rounds.map(({ tollhouse, [system]: other }) => tollhouse.perSecond / other.perSecond);
    const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
    const ratio = system === 'tollhouse' ? '' : `${median(ratios).toFixed(2)} (${spread})`;
    const figures = [of((one) => one.perSecond).toFixed(0), of((one) => one.systemMs).toFixed(2)];
    return `| ${NAMES[system]} | ${figures.join(' | ')} | ${of((one) => one.postgresMs).toFixed(2)} | ${ratio} |`;
  });
  return [
    BEGIN,
    '## Signing in',
    `\`npm run bench:sign-in\`: people who are known sign in, a nonce and a proof each, 16 at a time; ${ROUNDS} rounds of ${TURNS.times * 200} sign-ins, in turns. Node and Postgres: processor milliseconds a sign-in.`,
    machine.map((fact) => `- ${fact}`).join('\n'),
    [
      '| | sign-ins a second | Node | Postgres | Tollhouse ÷ it, median (lowest to highest round) |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    `Checking an access token takes ${unseen.toFixed(0)} µs of processor time when it was never seen, and ${seen.toFixed(1)} µs when it was: 10,000 different ones one after the other in a process of its own, then the last 5,000 again.`,
    END,
  ].join('\n\n');
}

const running: { stop(): Promise<void> }[] = [];
const stop = async (): Promise<void> => {
  for (const part of running.splice(0).reverse()) await part.stop();
};
process.once('SIGINT', () => void stop().then(() => process.exit(130)));
process.once('SIGTERM', () => void stop().then(() => process.exit(143)));

try {
  const section = await run(async (starting) => {
    const part = await starting;
    running.push(part);
    return part;
  });
  console.log(`\n${section}`);
  if (!process.argv.includes('--no-write')) await writeSection(section, { begin: BEGIN, end: END });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stop();
}
