import { createHmac, hkdfSync } from 'node:crypto';
import { importJWK, jwtVerify, SignJWT } from 'jose';
import type { Tokens } from '../../context.ts';
import type { SigningKey } from '../../environment.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { Viewer } from '../../kernel/viewer.ts';
import type { Clock } from '../../ports.ts';
import { readRefreshToken, writeRefreshToken } from '../model.ts';

/** Checked tokens are remembered to this number; the one that was checked first goes first. */
const MAX_REMEMBERED = 10_000;
const MAX_TOKEN_LENGTH = 2_000;
const AUDIENCE = 'tollhouse';
const TYPE = 'at+jwt';

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
    await Promise.all(keys.map(async ({ d: _, ...open }) => [open.kid, await importJWK(open, 'EdDSA')] as const)),
  );
  const openKeys = {
    keys: keys.map(({ d: _, ...open }) => ({ ...open, alg: 'EdDSA', use: 'sig' })),
  };
  const chainKey = Buffer.from(hkdfSync('sha256', Buffer.from(first.d, 'base64url'), '', 'tollhouse refresh', 32));
  const remembered = new Map<string, { readonly viewer: Viewer; readonly until: number }>();

  const check = async (token: string): Promise<{ viewer: Viewer; until: number }> => {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = checkingKeys.get(kid ?? '');
        if (!key) throw new Error('unknown key');
        return key;
      },
      {
        algorithms: ['EdDSA'],
        issuer,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['sub', 'sid', 'org', 'iat', 'exp'],
        currentDate: new Date(clock.now()),
      },
    );
    const { sub, sid, org, exp, iat } = payload as Record<string, unknown>;
    const [userId, sessionId, organizationId] = [sub, sid, org].map(String);
    if (!userId || !sessionId || !organizationId || ![userId, sessionId, organizationId].every(isUuid)) {
      throw new Error('malformed claims');
    }
    if (Number(iat) * 1000 > clock.now() + 60_000) throw new Error('issued in the future');
    return { viewer: { userId, sessionId, organizationId }, until: Number(exp) * 1000 };
  };

  return {
    openKeys,

    async issue(viewer) {
      const issuedAt = Math.floor(clock.now() / 1000);
      const token = await new SignJWT({ sid: viewer.sessionId, org: viewer.organizationId })
        .setProtectedHeader({ alg: 'EdDSA', typ: TYPE, kid: first.kid })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(viewer.userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetime)
        .sign(signingKey);
      return { token, expiresAt: (issuedAt + lifetime) * 1000 };
    },

    async verify(token) {
      const known = remembered.get(token);
      if (known && clock.now() < known.until) return known.viewer;
      if (token.length > MAX_TOKEN_LENGTH) throw kernelErrors.UNAUTHENTICATED();
      const checked = await check(token).catch((cause: unknown) => {
        throw kernelErrors.UNAUTHENTICATED({}, { cause });
      });
      const [oldest] = remembered.size >= MAX_REMEMBERED ? remembered.keys() : [];
      if (oldest) remembered.delete(oldest);
      remembered.set(token, checked);
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
