import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import { TEST_TOKEN_ADDRESS } from '../src/chain/providers/testToken.ts';
import { withSession } from '../src/database/session.ts';
import { freePort } from '../src/local/freePort.ts';
import { PONDER_VERSION, type PonderProject } from './ponderProject.ts';
import { CORES, canPin } from './processes.ts';

/** Ponder as it is measured, in both of its forms. */
export const PONDERS = {
  ponder: `Ponder ${PONDER_VERSION}, its limit of requests lifted`,
  ponderAsPublished: `Ponder ${PONDER_VERSION} as published: 20 requests a second at first, then 5 % more each time`,
} as const;

/** What there is to index, and where to. */
export interface PonderTask {
  readonly adminUrl: string;
  readonly rpcUrl: string;
  readonly payee: Hex;
  /** The last block. */
  readonly end: number;
  /** In which it keeps the transfers, made by it. */
  readonly schema: string;
}

/**
 * Has Ponder index the transfers to one account, with an empty cache.
 * @returns the milliseconds from its first answer, when it begins to read, until it says that its backfill is complete
 */
export async function takePonderTurn(project: PonderProject, task: PonderTask): Promise<number> {
  const { adminUrl, rpcUrl, payee, end, schema } = task;
  // What was read before is kept there, whatever the indexer.
  await withSession(adminUrl, (client) => client.query('drop schema if exists ponder_sync cascade'));
  const port = await freePort();
  const pinned = canPin ? ['taskset', '--cpu-list', String(CORES.system)] : [];
  const [command = '', ...rest] = [...pinned, process.execPath, 'node_modules/ponder/dist/esm/bin/ponder.js', 'start'];
  const child = spawn(command, [...rest, '--port', String(port), '--schema', schema, '--log-level', 'error'], {
    cwd: project.folder,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      NODE_OPTIONS: '--no-deprecation',
      PONDER_TELEMETRY_DISABLED: '1',
      DATABASE_URL: adminUrl,
      BENCH_RPC: rpcUrl,
      BENCH_TOKEN: TEST_TOKEN_ADDRESS,
      BENCH_PAYEE: payee,
      BENCH_END: String(end),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const answers = async (path: string): Promise<void> => {
    while (!(await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null))?.ok) {
      if (child.exitCode !== null) throw new Error('Ponder ended before it was ready.');
      await sleep(10);
    }
  };
  try {
    await answers('/health');
    const began = performance.now();
    await answers('/ready');
    return performance.now() - began;
  } finally {
    const exited = child.exitCode === null ? once(child, 'exit') : null;
    child.kill('SIGTERM');
    await exited;
  }
}
