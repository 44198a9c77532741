import type { Face } from './faces/face.ts';
import { floorFace } from './faces/floor.ts';
import { postgraphileFace } from './faces/postgraphile.ts';
import { tollhouseFace } from './faces/tollhouse.ts';
import { type Child, CORES, startChild } from './processes.ts';
import type { SystemSettings } from './systems/child.ts';

/** What is compared. */
export const SYSTEMS = ['tollhouse', 'postgraphile', 'transactionPerQuery', 'floor'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** How each is asked. */
export const FACES: Readonly<Record<SystemName, Face>> = {
  tollhouse: tollhouseFace,
  postgraphile: postgraphileFace,
  transactionPerQuery: tollhouseFace,
  floor: floorFace,
};

/** A system that answers. */
export interface System {
  readonly name: SystemName;
  readonly child: Child;
  readonly port: number;
}

/** Starts a system on its core. */
export async function startSystem(name: SystemName, settings: SystemSettings): Promise<System> {
  const script = name === 'postgraphile' ? 'peers/postgraphile.mjs' : `systems/${name}.ts`;
  const child = await startChild(new URL(script, import.meta.url), {
    core: CORES.system,
    env: { BENCH_SYSTEM: JSON.stringify(settings) },
  });
  const { port } = child.ready as { port: number };
  return { name, child, port };
}
