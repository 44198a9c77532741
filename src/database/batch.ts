import type { PacketResult, Query } from './packet.ts';

/** What one operation of a batch is lent: its first statement takes the place, and travels with the others’. */
export interface Place {
  /** The answer to come; null when the place was taken before, and what follows travels alone. */
  take(query: Query): Promise<PacketResult> | null;
}

interface Waiting {
  readonly query: Query;
  resolve(result: PacketResult): void;
  reject(error: unknown): void;
}

/**
 * Starts operations that wait for one another: when each has said its one statement, all of them are sent together, in
 * the order of the operations. If one fails before it has said anything, none is sent.
 * @param start runs one operation with its place
 * @param send answers each statement, or fails for all
 */
export function runTogether<Result>(
  operations: readonly PromiseLike<Result>[],
  start: (operation: PromiseLike<Result>, place: Place) => Promise<Result>,
  send: (queries: readonly Query[]) => Promise<PacketResult[]>,
): Promise<Result[]> {
  const waiting = new Map<number, Waiting>();
  let missing = operations.length;
  let left = false;
  /** Why nothing was written, as it was before Prisma wrapped it for each operation. */
  let failure: { readonly error: unknown } | undefined;

  const arrive = (): void => {
    missing -= 1;
    if (missing > 0 || left) return;
    left = true;
    const together = operations.flatMap((_, index) => waiting.get(index) ?? []);
    if (together.length === 0) return;
    send(together.map(({ query }) => query)).then(
      (results) => {
        for (const [index, { resolve }] of together.entries()) resolve(results[index] as PacketResult);
      },
      (error: unknown) => {
        failure = { error };
        for (const { reject } of together) reject(error);
      },
    );
  };
  const abandon = (error: unknown): void => {
    left = true;
    failure = { error };
    for (const { reject } of waiting.values()) reject(error);
  };
  const placeOf = (index: number): Place => ({
    take(query) {
      // What comes after the others were called off would be alone, and done.
      if (failure && !waiting.has(index)) return Promise.reject(failure.error);
      if (left || waiting.has(index)) return null;
      return new Promise((resolve, reject) => {
        waiting.set(index, { query, resolve, reject });
        arrive();
      });
    },
  });

  const running = Promise.all(
    operations.map(async (operation, index) => {
      try {
        const result = await start(operation, placeOf(index));
        // It had nothing to say, and nobody must wait for it.
        if (!waiting.has(index)) arrive();
        return result;
      } catch (error) {
        if (!left) abandon(error);
        throw error;
      }
    }),
  );
  return running.catch((error: unknown) => {
    throw failure ? failure.error : error;
  });
}
