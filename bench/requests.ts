import type { Operation, Pick } from './faces/face.ts';
import { FACES, type SystemName } from './systems.ts';
import { seededRandom, type World } from './world.ts';

/** So many requests are prepared for each operation, and sent in turn. */
const PREPARED = 500;

/** Whom each request is about; the same for every system. */
export function picksFor(operation: Operation, world: World): readonly Pick[] {
  const random = seededRandom(1);
  const tenants = operation === 'M1' ? world.writers : world.readers;
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  return Array.from({ length: PREPARED }, () => {
    const tenant = oneOf(tenants);
    return { tenant, linkId: oneOf(tenant.linkIds) };
  });
}

/** A whole HTTP request, as it is sent. */
export function writeRequest(
  system: SystemName,
  operation: Operation,
  pick: Pick,
  more: Readonly<Record<string, string>> = {},
): string {
  const face = FACES[system];
  const body = JSON.stringify(face.body(operation, pick));
  const headers = {
    host: '127.0.0.1',
    accept: 'application/json',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...face.headers(pick),
    ...more,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${face.path} HTTP/1.1`, ...lines, '', body].join('\r\n');
}
