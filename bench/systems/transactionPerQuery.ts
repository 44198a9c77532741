// The extension that most projects with Prisma and Row-Level Security use: each query becomes an array transaction whose
// first statement makes the settings. Everything else is Tollhouse: the schema, the front door, the commands.
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../../src/database/client.ts';
import { enter, type Scene } from '../../src/database/scene.ts';
import type { Database, Scope } from '../../src/database/scope.ts';
import { readSettings } from './child.ts';
import { startGateway } from './gateway.ts';

const settings = readSettings();
const adapter = new PrismaPg({ connectionString: settings.databaseUrl, max: settings.poolSize });
const client = new PrismaClient({ adapter, errorFormat: 'minimal' });

/** The statement that Tollhouse sends too, and so with the check of the session in it. */
function settle(tx: Pick<PrismaClient, '$queryRawUnsafe'>, scene: Scene): ReturnType<PrismaClient['$queryRawUnsafe']> {
  const { text, values } = enter(scene);
  return tx.$queryRawUnsafe(text, ...values);
}

function openScope(scene: Scene): Scope {
  const db = client.$extends({
    query: {
      $allModels: {
        async $allOperations({ args, query }) {
          const [, result] = await client.$transaction([settle(client, scene), query(args) as never]);
          return result;
        },
      },
    },
  });
  return {
    scene,
    db: db as never,
    ask: async (text) => {
      const asked = client.$queryRawUnsafe<Record<string, string>[]>(text);
      const [, [row]] = await client.$transaction([settle(client, scene), asked]);
      return row ? JSON.parse(Object.values(row)[0] ?? 'null') : null;
    },
    write: async (plan) => {
      const [, ...answers] = await client.$transaction([settle(client, scene), ...plan(client)]);
      return answers as never;
    },
    transaction: (run) =>
      client.$transaction(async (tx) => {
        await settle(tx, scene);
        return await run(tx);
      }),
  };
}

const database: Database = {
  as: openScope,
  ping: async () => void (await client.$queryRaw`select 1`),
  close: () => client.$disconnect(),
};

await startGateway(settings, async (resources) => void Object.assign(resources, { database }));
