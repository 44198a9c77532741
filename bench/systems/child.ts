import type { SigningKey } from '../../src/environment.ts';

/** What a system under test is started with. */
export interface SystemSettings {
  /** As `tollhouse_gateway`; perhaps through a proxy. */
  readonly databaseUrl: string;
  /** The most connections at once. */
  readonly poolSize: number;
  readonly tokenKeys: readonly SigningKey[];
  readonly issuer: string;
}

/** The settings that this process was started with. */
export function readSettings(): SystemSettings {
  return JSON.parse(process.env.BENCH_SYSTEM ?? '') as SystemSettings;
}

/** Tells whoever started this process where it answers, and ends with them. */
export function announce(port: number): void {
  process.send?.({ port });
  process.once('disconnect', () => process.exit());
  process.once('SIGTERM', () => process.exit());
}
