import type { Prisma, PrismaClient } from './generated/client.ts';
import type { ScenePool } from './pool.ts';
import { type Carrier, isRead, queryOf, readBy } from './reader.ts';

/** Prisma's client for what is written together; its reads, too, wait until they are awaited. */
export function writerOf(client: PrismaClient, pool: ScenePool): Prisma.TransactionClient {
  const carrier: Carrier = {
    async ask(statement) {
      const { rows } = await pool.query(queryOf(statement));
      return (rows[0]?.[0] ?? null) as string | null;
    },
    run: async (operation) => await operation(),
  };
  return new Proxy(client, {
    get(_, name) {
      const own = Reflect.get(client, name) as unknown;
      if (typeof name !== 'string' || typeof own !== 'object') return own;
      return new Proxy(own as object, {
        get(delegate, operation) {
          const prismas = Reflect.get(delegate, operation) as (args: unknown) => PromiseLike<unknown>;
          if (typeof operation !== 'string' || !isRead(name, operation)) return prismas;
          return (args: unknown) => later(() => readBy(carrier, name, operation, args, () => prismas(args)));
        },
      });
    },
  });
}

/** Starts something when it is first awaited, as Prisma's promises do. */
function later(start: () => Promise<unknown>): PromiseLike<unknown> {
  let running: Promise<unknown> | undefined;
  return {
    // biome-ignore lint/suspicious/noThenProperty: what is awaited is what starts it
    then: (...listeners) => {
      running ??= start();
      return running.then(...listeners);
    },
  };
}
