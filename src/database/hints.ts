import pg from 'pg';

/** What the triggers of the migration `streams` notify. */
const CHANNEL = 'tollhouse_streams';

const RETRY_MS = 1_000;

/** Hears that something may have changed; what it is, whoever hears it reads under their own role. */
export interface Hints {
  /** Calls back at each hint of these topics, and whenever one may have been missed; answers how to stop that. */
  listen(topics: readonly string[], hear: () => void): () => void;
  stop(): Promise<void>;
}

/**
 * Listens on one connection for the whole process, from the first listener on. When it dies another is opened, and
 * everybody is told, since nobody knows what was missed.
 */
export function openHints(options: { readonly url: string; readonly onError: (error: unknown) => void }): Hints {
  const listeners = new Map<string, Set<() => void>>();
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | undefined;
  let state: 'unused' | 'open' | 'over' = 'unused';

  const again = (): void => {
    if (state !== 'open') return;
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), RETRY_MS);
  };

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: options.url,
      application_name: 'tollhouse hints',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client = fresh;
    fresh.on('error', options.onError);
    fresh.once('end', again);
    fresh.on('notification', ({ payload }) => {
      for (const hear of listeners.get(payload ?? '') ?? []) hear();
    });
    try {
      await fresh.connect();
      await fresh.query(`listen ${CHANNEL}`);
      for (const some of listeners.values()) for (const hear of some) hear();
    } catch (error) {
      options.onError(error);
      await fresh.end().catch(() => {});
      again();
    }
  };

  return {
    listen(topics, hear) {
      if (state === 'unused') {
        state = 'open';
        void connect();
      }
      for (const topic of topics) listeners.set(topic, (listeners.get(topic) ?? new Set()).add(hear));
      return () => {
        for (const topic of topics) {
          const some = listeners.get(topic);
          some?.delete(hear);
          if (some?.size === 0) listeners.delete(topic);
        }
      };
    },
    async stop() {
      state = 'over';
      clearTimeout(retry);
      await client?.end().catch(() => {});
    },
  };
}
