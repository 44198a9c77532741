import pino from 'pino';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { poolOptions } from '../../src/database/pool.ts';
import { openDatabase } from '../../src/database/scope.ts';
import { type ChainSetting, readEnvironment } from '../../src/environment.ts';

// The watcher of one chain, which reads it up to its head when it is told to.

interface Settings {
  readonly databaseUrl: string;
  readonly setting: ChainSetting;
}

const { databaseUrl, setting } = JSON.parse(process.env.BENCH_SYSTEM ?? '') as Settings;
const database = openDatabase(poolOptions(readEnvironment({ NODE_ENV: 'test' }), databaseUrl));
const context = { database, log: pino({ level: 'silent' }), requestId: 'bench' };
const reader = createNodeReader(setting);
const chain = await registerChain(context, { setting, reader });
await followChain(context, chain, reader);

process.on('message', async () => {
  const began = performance.now();
  await followChain(context, chain, reader);
  process.send?.({ ms: performance.now() - began });
});
process.once('SIGTERM', () => void database.close().then(() => process.exit(0)));
process.send?.({});
