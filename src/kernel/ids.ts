import { randomBytes } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the text is a UUID in its canonical, lower-case spelling. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

let last = { time: 0, count: 0 };

/** A UUIDv7 (RFC 9562): milliseconds since 1970, a counter of twelve bits for ids of the same millisecond, randomness. */
export function newId(now: number = Date.now()): string {
  const time = Math.max(now, last.time);
  const count = time === last.time ? last.count + 1 : randomBytes(2).readUInt16BE() & 0x3ff;
  if (count > 0xfff) return newId(time + 1);
  last = { time, count };
  const bytes = randomBytes(16);
  bytes.writeUIntBE(time, 0, 6);
  bytes.writeUInt16BE(0x7000 | count, 6);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A Relay global id: the type's name and the row's UUID, as opaque text. */
export function encodeGlobalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** What a Relay global id names, or null when it is not one that we gave out. */
export function decodeGlobalId(globalId: string): { type: string; id: string } | null {
  if (globalId.length > 200) return null;
  const [type, id, ...rest] = Buffer.from(globalId, 'base64url').toString('utf8').split(':');
  if (!type || !id || rest.length > 0 || !isUuid(id)) return null;
  return encodeGlobalId(type, id) === globalId ? { type, id } : null;
}
