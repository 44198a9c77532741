import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** One file of Prisma's model. */
export interface SchemaFile {
  readonly path: string;
  readonly content: string;
}

const folder = join(import.meta.dirname, '../../prisma');

/** Every file of the model in `prisma/`. */
export function readSchemaFiles(): SchemaFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.prisma'))
    .sort()
    .map((file) => ({ path: join(folder, file), content: readFileSync(join(folder, file), 'utf8') }));
}

/**
 * What would have to change in the database for it to be what Prisma's model says, in Prisma's words; empty when
 * nothing. Prisma does not see policies, grants, triggers, functions, checks and conditions of indexes.
 */
export async function findDrift(url: string, files: readonly SchemaFile[] = readSchemaFiles()): Promise<string> {
  await loadEngine();
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  try {
    const schemas = files.map(({ path, content }): [string, string] => [path, content]);
    const factory = bindMigrationAwareSqlAdapterFactory(letteredFactory(pool));
    const schemaEngine = await engine.SchemaEngine.new({ datamodels: schemas }, () => {}, factory);
    const { exitCode, stdout } = await Promise.race([
      schemaEngine.diff({
        from: { tag: 'schemaDatasource', files: [...files], configDir: folder },
        to: { tag: 'schemaDatamodel', files: [...files] },
        script: false,
        exitCode: true,
        filters: { externalTables: [], externalEnums: [] },
      }),
      panic(),
    ]);
    return exitCode === 0 ? '' : (stdout ?? 'The engine says that they differ, and not how.');
  } finally {
    await pool.end();
  }
}

let loaded: Promise<void> | undefined;

/** The package's own entrance asks the runtime to import WebAssembly, which Node 20 does not do by itself. */
function loadEngine(): Promise<void> {
  loaded ??= (async () => {
    const entrance = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm');
    const binary = readFileSync(join(dirname(entrance), 'schema_engine_bg.wasm'));
    const { instance } = await WebAssembly.instantiate(binary, { './schema_engine_bg.js': { ...engine } });
    engine.__wbg_set_wasm(instance.exports);
    (instance.exports as unknown as { __wbindgen_start(): void }).__wbindgen_start();
  })();
  return loaded;
}

/** An engine that panics never answers; it tells why through a registry that it looks for by this name. */
function panic(): Promise<never> {
  return new Promise((_, reject) => {
    const registry = { set_message: (message: string): void => reject(new Error(message)) };
    Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: registry });
  });
}

/** The catalog's own type "char", of one letter: the adapter refuses it, and the engine asks for it. */
const LETTER = 18;
const TEXT = 25;

/** Prisma's adapter, told by the pool that letters are text, and telling the engine that they are letters after all. */
function letteredFactory(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const letters = new Map<string, readonly number[]>();
  const query = pool.query.bind(pool) as unknown as (config: pg.QueryConfig) => Promise<pg.QueryResult>;
  Object.assign(pool, {
    async query(config: pg.QueryConfig): Promise<pg.QueryResult> {
      const result = await query(config);
      const found = [...result.fields.keys()].filter((index) => result.fields[index]?.dataTypeID === LETTER);
      letters.set(config.text, found);
      for (const index of found) Object.assign(result.fields[index] ?? {}, { dataTypeID: TEXT });
      return result;
    },
  });
  const factory = new PrismaPg(pool);
  const connect = factory.connect.bind(factory);
  return Object.assign(factory, {
    async connect() {
      const adapter = await connect();
      const queryRaw = adapter.queryRaw.bind(adapter);
      return Object.assign(adapter, {
        async queryRaw(asked: SqlQuery): Promise<SqlResultSet> {
          const result = await queryRaw(asked);
          for (const index of letters.get(asked.sql) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
          return result;
        },
      });
    },
  });
}
