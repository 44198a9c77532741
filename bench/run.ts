import { assertAgreement } from './agreement.ts';
import { describeMachine, loadNow } from './machine.ts';
import { countMessagesOf, measureAll } from './measure.ts';
import { isWhole, type Options, readOptions } from './options.ts';
import { type Findings, showFindings, writeFindings } from './results.ts';
import { openStage } from './stage.ts';
import { summarize } from './summary.ts';

async function run(options: Options, running: { stop(): Promise<void> }[]): Promise<Findings> {
  const before = loadNow();
  console.log('Starting PostgreSQL, the systems and the generator …');
  const stage = await openStage(options, running);
  const { database, world, systems, addedRoundTripMs } = stage;
  await assertAgreement([...systems.near, ...systems.far], options.operations, { world, adminUrl: database.adminUrl });
  console.log('All systems give the same answers. Requests a second, p50, processor ms of Node + Postgres:');
  const costs = await countMessagesOf(stage, options);
  const measured = await measureAll(stage, options, console.log);
  return {
    machine: describeMachine({ postgres: database.version, addedRoundTripMs, before }),
    summaries: summarize(measured, costs),
    ...{ options, costs, measured },
  };
}

const running: { stop(): Promise<void> }[] = [];
const stop = async (): Promise<void> => {
  for (const part of running.splice(0).reverse()) await part.stop();
};
process.once('SIGINT', () => void stop().then(() => process.exit(130)));
process.once('SIGTERM', () => void stop().then(() => process.exit(143)));

try {
  const options = readOptions(process.argv.slice(2));
  const findings = await run(options, running);
  if (isWhole(options)) {
    await writeFindings(findings);
    console.log('Written to bench/RESULTS.md.');
  } else {
    console.log(`\n${showFindings(findings)}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stop();
}
