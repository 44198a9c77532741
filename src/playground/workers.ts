import type { Settings } from './settings.ts';

/** What the editor looks for when it needs a worker. */
interface Environment {
  MonacoEnvironment?: { getWorker(id: string, label: string): Worker };
}

/** Tells the editor where its workers are. They are files of this server: the page may run no others. */
export function provideWorkers({ editor, graphql, json }: Settings['workers']): void {
  const scripts: Readonly<Record<string, string>> = { graphql, json };
  (globalThis as Environment).MonacoEnvironment = {
    getWorker: (_id, label) => new Worker(scripts[label] ?? editor, { type: 'module' }),
  };
}
