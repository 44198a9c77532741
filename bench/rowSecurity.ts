import { withSession } from '../src/database/session.ts';
import type { Operation } from './faces/face.ts';
import { measure, warmUp } from './measure.ts';
import { readOptions } from './options.ts';
import { openStage, type Stage } from './stage.ts';
import { median } from './summary.ts';

// What Row-Level Security itself costs: the same gateway on the same data, with the policies in force and with row
// security disabled on every table, in turns. The scene is entered and the session checked in both.

const ROUNDS = 7;
const MS = 1_000;
const CLIENTS = 16;

async function setRowSecurity({ database }: Stage, enabled: boolean): Promise<void> {
  await withSession(database.adminUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    );
    for (const { name } of rows) {
      await client.query(`alter table ${name} ${enabled ? 'enable' : 'disable'} row level security`);
    }
  });
}

const running: { stop(): Promise<void> }[] = [];
try {
  const options = readOptions(['--systems', 'tollhouse', '--latency', 'near']);
  const stage = await openStage(options, running);
  const [tollhouse] = stage.systems.near;
  if (!tollhouse) throw new Error('The gateway did not start.');
  await warmUp(stage, options);
  const figures = new Map<Operation, { ratio: number[]; postgres: number[][] }>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const operation of options.operations) {
      const asked = { operation, latency: 'near' as const, concurrency: CLIENTS, warmUpMs: 300, ms: MS };
      const ask = async (enabled: boolean) => {
        await setRowSecurity(stage, enabled);
        return measure(stage, tollhouse, asked);
      };
      const first = round % 2 === 0;
      const [one, other] = [await ask(first), await ask(!first)];
      const [withPolicies, without] = first ? [one, other] : [other, one];
      const kept = figures.get(operation) ?? { ratio: [], postgres: [[], []] };
      figures.set(operation, kept);
      kept.ratio.push(withPolicies.perSecond / without.perSecond);
      kept.postgres[0]?.push(withPolicies.postgresMs);
      kept.postgres[1]?.push(without.postgresMs);
    }
  }
  console.log('| | requests a second with ÷ without | Postgres ms with | without |\n| --- | --- | --- | --- |');
  for (const [operation, { ratio, postgres }] of figures) {
    const sorted = [...ratio].sort((low, high) => low - high).map((each) => each.toFixed(2));
    const [on = [], off = []] = postgres;
    console.log(
      `| ${operation} | ${median(ratio).toFixed(2)} (${sorted[0]} to ${sorted.at(-1)}) | ${median(on).toFixed(2)} | ${median(off).toFixed(2)} |`,
    );
  }
} finally {
  for (const part of running.splice(0).reverse()) await part.stop();
}
