import { chownSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries } from '../../src/database/embeddedBinaries.ts';
import { becomesReady, makeHome, readLock, readPassword } from '../../src/database/embeddedHome.ts';
import { migrate } from '../../src/database/migrations.ts';
import { ensureRoles, OPERATOR_LOGIN } from '../../src/database/roles.ts';
import { withSession } from '../../src/database/session.ts';
import { claimFolder } from '../../src/local/folder.ts';
import { freePort } from '../../src/local/freePort.ts';
import { type GuardedServer, startGuarded } from '../../src/local/guard.ts';
import { identifyProcess } from '../../src/local/process.ts';
import { leftovers, listen, makeRoot, until } from '../local/children.ts';
import { superuserOf, type TestDatabase } from '../support/database.ts';
import { followOperations } from '../support/operations.ts';

/** A PostgreSQL that keeps what it has promised to keep, with the gateway's database in it. */
export interface MortalPostgres {
  readonly database: TestDatabase;
  /** Kills it with everything that it has started, as a machine without power would. */
  kill(): Promise<void>;
  /** Starts it again, on its data and its port; resolves when it takes connections. */
  start(): Promise<void>;
}

/** Starts one whose writes are as safe as PostgreSQL's own defaults make them; the test's leftovers end it. */
export async function openMortalPostgres(): Promise<MortalPostgres> {
  const log = listen();
  const folder = await claimFolder(makeRoot(), log);
  leftovers.push(folder.release);
  const home = join(folder.dataPath, 'postgres');
  const data = join(home, 'data');
  await makeHome(home, folder, log);
  const { postgres } = findBinaries(folder.account, log);
  const port = await freePort();
  const adminUrl = `postgresql://postgres:${readPassword(home)}@127.0.0.1:${port}/postgres`;
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', `port=${port}`];
  let server: GuardedServer | undefined;

  const begin = async (): Promise<boolean> => {
    // For its log alone, which goes when it ends: the data is to stay.
    const place = mkdtempSync(join(realpathSync(tmpdir()), 'tollhouse-postgres-'));
    if (folder.account) chownSync(place, folder.account.uid, folder.account.gid);
    server = await startGuarded({
      command: postgres,
      arguments: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      folder: place,
      keeps: false,
      signal: 'QUIT',
      account: folder.account,
    });
    return becomesReady(server, () => adminUrl, data);
  };
  const start = async (): Promise<void> => {
    // What a killed one leaves may be in its way for a moment more.
    for (let attempt = 1; !(await begin()); attempt += 1) {
      if (attempt === 10) throw new Error(`PostgreSQL did not start again; it said: ${server?.said()}`);
      await sleep(100);
    }
  };
  await start();
  leftovers.push(() => server?.stop());

  const { ownerUrl, gatewayUrl } = await followOperations(adminUrl);
  const operatorUrl = Object.assign(new URL(gatewayUrl), { username: OPERATOR_LOGIN, password: 'operator' }).href;
  await ensureRoles({ ownerUrl, gatewayUrl, operatorUrl });
  await withSession(adminUrl, (client) => client.query(`grant connect on database tollhouse to ${OPERATOR_LOGIN}`));
  await migrate(ownerUrl);
  const superuserUrl = Object.assign(new URL(adminUrl), { pathname: '/tollhouse' }).href;
  const superuser = superuserOf(superuserUrl);
  return {
    database: {
      ...superuser,
      name: 'tollhouse',
      adminUrl: superuserUrl,
      ownerUrl,
      gatewayUrl,
      operatorUrl,
      drop: () => superuser.leave(),
    },
    start,
    async kill() {
      const pid = readLock(data)?.pid ?? 0;
      // Standing still it starts nothing that could be overlooked.
      process.kill(pid, 'SIGSTOP');
      const pids = [pid, ...childrenOf(pid)];
      for (const each of pids) process.kill(each, 'SIGKILL');
      await server?.finish();
      await until(() => pids.every((each) => identifyProcess(each) === null));
    },
  };
}

/** What a process has started and what still runs of it; where the system does not tell, nothing: it ends by itself. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
}
