import { createHmac, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { Tokens } from '../../context.ts';
import type { SigningKey } from '../../environment.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { SessionViewer } from '../../kernel/viewer.ts';
import type { Clock } from '../../ports.ts';
import { readRefreshToken, writeRefreshToken } from '../model.ts';

/** Checked tokens are remembered to this number; the one that was checked first goes first. */
const MAX_REMEMBERED = 10_000;
const MAX_TOKEN_LENGTH = 2_000;
const AUDIENCE = 'tollhouse';
/** How far the clock of whoever issued a token may go ahead. */
const MOST_AHEAD_MS = 60_000;
/** Head, body and an Ed25519 signature of 64 bytes. */
const TOKEN = /^([\w-]+)\.([\w-]+)\.([\w-]{86})$/;

/**
 * Makes access and refresh tokens. The first key signs, every key checks; refresh tokens follow from each other by an
 * HMAC under a key that is derived from the first one.
 * @param issuer what `iss` says
 * @param lifetime of an access token, in seconds
 */
export async function createTokens(options: {
  readonly keys: readonly SigningKey[];
  readonly issuer: string;
  readonly lifetime: number;
  readonly clock: Clock;
}): Promise<Tokens> {
  const { keys, issuer, lifetime, clock } = options;
  const [first] = keys;
  if (!first) throw new Error('Tokens need at least one signing key.');
  const signingKey = await importJWK(first, 'EdDSA');
  const checkingKeys = new Map(
    keys.map(({ d: _, ...open }) => [headOf(open.kid), createPublicKey({ key: open, format: 'jwk' })] as const),
  );
  const openKeys = {
    keys: keys.map(({ d: _, ...open }) => ({ ...open, alg: 'EdDSA', use: 'sig' })),
  };
  const chainKey = Buffer.from(hkdfSync('sha256', Buffer.from(first.d, 'base64url'), '', 'tollhouse refresh', 32));
  const ends = new WeakMap<SessionViewer, number>();
  const remembered = new Map<string, { readonly viewer: SessionViewer; readonly until: number }>();

  const check = (token: string): { viewer: SessionViewer; until: number } => {
    const [, head = '', body = '', seal = ''] = TOKEN.exec(token) ?? [];
    const key = checkingKeys.get(head);
    const signature = Buffer.from(seal, 'base64url');
    if (!key || signature.toString('base64url') !== seal) throw new Error('not a token of ours');
    if (!verify(null, Buffer.from(`${head}.${body}`), key, signature)) throw new Error('not signed by us');
    return readClaims(Buffer.from(body, 'base64url').toString(), { issuer, now: clock.now() });
  };

  const checkOrRefuse = (token: string): { viewer: SessionViewer; until: number } => {
    try {
      return check(token);
    } catch (cause) {
      throw kernelErrors.UNAUTHENTICATED({}, { cause });
    }
  };

  return {
    openKeys,

    async issue(viewer) {
      const issuedAt = Math.floor(clock.now() / 1000);
      const token = await new SignJWT({
        sid: viewer.sessionId,
        org: viewer.organizationId,
        ...(viewer.impersonates && { imp: true }),
      })
        .setProtectedHeader(headFields(first.kid))
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(viewer.userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetime)
        .sign(signingKey);
      return { token, expiresAt: (issuedAt + lifetime) * 1000 };
    },

    endOf: (viewer) => ends.get(viewer) ?? Number.POSITIVE_INFINITY,

    async verify(token) {
      const known = remembered.get(token);
      if (known && clock.now() < known.until) return known.viewer;
      if (token.length > MAX_TOKEN_LENGTH) throw kernelErrors.UNAUTHENTICATED();
      const checked = checkOrRefuse(token);
      const [oldest] = remembered.size >= MAX_REMEMBERED ? remembered.keys() : [];
      if (oldest) remembered.delete(oldest);
      remembered.set(token, checked);
      ends.set(checked.viewer, checked.until);
      return checked.viewer;
    },

    successor(refreshToken) {
      const spent = readRefreshToken(refreshToken);
      if (!spent) throw new Error('Only a refresh token has a successor.');
      const { sessionId, generation } = spent;
      const secret = createHmac('sha256', chainKey).update(refreshToken).digest('base64url');
      return writeRefreshToken({ sessionId, generation: generation + 1, secret });
    },
  };
}

function headFields(kid: string): { readonly alg: 'EdDSA'; readonly typ: 'at+jwt'; readonly kid: string } {
  return { alg: 'EdDSA', typ: 'at+jwt', kid };
}

/**
 * The head of a token that this key has signed, as it stands there. No other is read: so there is no algorithm, key or
 * condition for a token to choose.
 */
function headOf(kid: string): string {
  return Buffer.from(JSON.stringify(headFields(kid))).toString('base64url');
}

/** What a body says, if all of it is there, from us, for us, and of now; times are in seconds there. */
function readClaims(
  body: string,
  { issuer, now }: { readonly issuer: string; readonly now: number },
): { viewer: SessionViewer; until: number } {
  const { iss, aud, sub, sid, org, imp, iat, exp, nbf = 0 } = JSON.parse(body) as Record<string, unknown>;
  if (iss !== issuer || aud !== AUDIENCE) throw new Error('from or for somebody else');
  if (![iat, exp, nbf].every(Number.isFinite)) throw new Error('malformed times');
  const [issued, ends, begins] = [Number(iat) * 1000, Number(exp) * 1000, Number(nbf) * 1000];
  if (ends <= now || begins > now || issued > now + MOST_AHEAD_MS) throw new Error('not of now');
  const [userId, sessionId, organizationId] = [sub, sid, org].map((id) => (typeof id === 'string' ? id : ''));
  if (!userId || !sessionId || !organizationId || ![userId, sessionId, organizationId].every(isUuid)) {
    throw new Error('malformed claims');
  }
  // whoever looks in as an operator must never be taken for the session of that id
  if (imp !== undefined && imp !== true) throw new Error('malformed claims');
  return { viewer: { userId, sessionId, organizationId, ...(imp && { impersonates: true }) }, until: ends };
}
