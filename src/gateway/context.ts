import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Client, Context, Resources, TokenCookies } from '../context.ts';
import type { Scene } from '../database/scene.ts';
import type { Scope } from '../database/scope.ts';
import { FRESH_SECONDS } from '../identity/model.ts';
import { sha256 } from '../kernel/digest.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { assertPerson, isKey, type Viewer } from '../kernel/viewer.ts';
import { tenancyErrors } from '../tenancy/errors.ts';
import { NO_COOKIES } from './cookies.ts';
import { limitKeyOf } from './limitKey.ts';

const REQUEST_ID = /^[\w.-]{1,64}$/;
/** How much of a browser's own words about itself is kept. */
const LONGEST_HEADER = 500;

/** The id that a proxy in front has given the request, if it is a sane one, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * Where a request comes from.
 * @param trustedProxies how many proxies of ours stand in front; each has added the address that it was asked from at
 * the right of `X-Forwarded-For`, and what stands left of those anybody may have written
 */
export function clientOf({ headers, socket }: IncomingMessage, trustedProxies: number): Client {
  const peer = plainAddress(socket.remoteAddress ?? '');
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
  const named = trustedProxies > 0 ? plainAddress(forwarded.at(-trustedProxies) ?? '') : null;
  const address = named ?? peer ?? 'unknown';
  return {
    address,
    limitKey: limitKeyOf(address),
    userAgent: headers['user-agent']?.slice(0, LONGEST_HEADER) ?? null,
    origin: headers.origin?.slice(0, LONGEST_HEADER) ?? null,
  };
}

/** The address alone: no port, no brackets, no zone, and IPv4 in its own spelling; null when it is none. */
function plainAddress(text: string): string | null {
  const [, bracketed, four] = /^\[([^\]]+)\](?::\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text.trim()) ?? [];
  const address = (bracketed ?? four ?? text.trim()).replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) ? address.toLowerCase() : null;
}

/** The key that a client gave the whole request. */
export function idempotencyKeyOf({ headers }: IncomingMessage): string | null {
  const given = headers['idempotency-key'];
  return typeof given === 'string' ? given : null;
}

function sceneOf(viewer: Viewer, requestId: string): Scene {
  if (isKey(viewer)) return { kind: 'key', requestId, claim: viewer.claim, call: { counted: false } };
  const { sessionId, organizationId, impersonates } = viewer;
  return impersonates
    ? { kind: 'impersonation', requestId, impersonationId: sessionId, organizationId }
    : { kind: 'member', requestId, sessionId, organizationId };
}

/** What the commands of one request are handed. */
export function createContext(
  resources: Resources,
  asked: {
    requestId: string;
    client: Client;
    viewer: Viewer | null;
    idempotencyKey?: string | null;
    cookies?: TokenCookies;
  },
): Context {
  const { requestId, client, viewer, idempotencyKey = null, cookies = NO_COOKIES } = asked;
  const { database } = resources;
  let asking = viewer;
  let scope: Scope | null = null;
  const own: Omit<Context, keyof Resources> = {
    requestId,
    client,
    idempotencyKey,
    cookies,
    get viewer() {
      return asking;
    },
    get scope() {
      scope ??= database.as(asking ? sceneOf(asking, requestId) : { kind: 'public', requestId });
      return scope;
    },
    operatorScope: () => {
      const { operatorDatabase } = resources;
      if (!operatorDatabase) throw tenancyErrors.OPERATOR_NOT_CONFIGURED();
      if (!asking) throw kernelErrors.UNAUTHENTICATED();
      // a key is no person; whoever looks in has a record for a session, and is nobody elsewhere
      if (isKey(asking) || asking.impersonates) throw kernelErrors.FORBIDDEN();
      return operatorDatabase.as({
        kind: 'operator',
        requestId,
        sessionId: asking.sessionId,
        freshSeconds: FRESH_SECONDS,
      });
    },
    identityScope: (claim) => database.as({ kind: 'identity', requestId, ...claim }),
    provedScope: ({ issuer, subject }, beside = []) => {
      assertPerson(asking);
      const { sessionId, organizationId } = asking;
      return database.as({
        kind: 'member',
        requestId,
        sessionId,
        organizationId,
        account: { issuer, subject },
        beside,
      });
    },
    handleScope: (kind, value) => {
      return database.as({ kind: 'public', requestId, handle: { kind, valueHash: sha256(value) } });
    },
    become: (next) => {
      asking = next;
      scope = null;
    },
  };
  // Inherited and not copied: copying beside the accessors costs ten times as much, in each request.
  return Object.setPrototypeOf(own, resources);
}
