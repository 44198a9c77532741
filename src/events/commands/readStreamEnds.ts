import type { Database } from '../../database/scope.ts';

/** Topics that the log answers: a log as a whole, and the history of one payment order. */
const TOPIC = /^(events:[0-9a-f-]{36}|payment-order:[0-9a-f-]{36}:[0-9a-f-]{36})$/;

/** What asks how far the log has come, for all open streams of a process together. */
export interface StreamEnds {
  canAsk(topic: string): boolean;
  ask(topics: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** Asks the log how far each topic has come, as far as nothing can be committed before it any more. */
export function readStreamEnds(database: Database): StreamEnds {
  const scope = database.as({ kind: 'worker', requestId: 'streams' });
  return {
    canAsk: (topic) => TOPIC.test(topic),
    ask: async (topics) => {
      const rows = await scope.db.$queryRaw<{ topic: string; reached: string | null }[]>`
        /* readStreamEnds */
        select topic, reached from stream_ends(${topics}::text[])`;
      return new Map(rows.map(({ topic, reached }) => [topic, reached ?? '']));
    },
  };
}
