import pino from 'pino';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { poolOptions } from '../../src/database/pool.ts';
import { openDatabase } from '../../src/database/scope.ts';
import { type ChainSetting, readEnvironment } from '../../src/environment.ts';
import { startWorker, type Worker } from '../../src/worker.ts';

// The worker as the gateway has it inside, which begins to work when it is told to, and ends when it is told to.

interface Settings {
  readonly databaseUrl: string;
  readonly setting: ChainSetting;
}

const { databaseUrl, setting } = JSON.parse(process.env.BENCH_SYSTEM ?? '') as Settings;
const log = pino({ level: 'silent' });
let statements = 0;
let roundTrips = 0;
const database = openDatabase({
  ...poolOptions(readEnvironment({ NODE_ENV: 'test' }), databaseUrl),
  onPacket: (packet) => {
    statements += packet.length;
    roundTrips += 1;
  },
});
await registerChain({ database, log, requestId: 'bench' }, { setting, reader: createNodeReader(setting) });

let worker: Worker | undefined;
process.on('message', async ({ verb }: { verb: 'start' | 'stop' }) => {
  if (verb === 'start') {
    statements = 0;
    roundTrips = 0;
    worker = startWorker({ database, databaseUrl, chains: [setting], retentionDays: 30, log });
  } else {
    await worker?.stop();
  }
  process.send?.({ statements, roundTrips });
});
process.once('SIGTERM', () => void database.close().then(() => process.exit(0)));
process.send?.({});
