import type { IncomingMessage } from 'node:http';
import type { Resources, TokenCookies } from '../context.ts';
import { identityErrors } from '../identity/errors.ts';
import type { Exchange } from './answer.ts';

/** The header that an API key may come in, for clients that keep `Authorization` for somebody else. */
export const KEY_HEADER = 'x-api-key';

/** The header that shows that a page's own code has sent the request; any value will do. */
export const CSRF_HEADER = 'x-tollhouse-csrf';

const DAY_SECONDS = 86_400;

/** The tokens that came in cookies. */
export interface ReceivedCookies {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
}

/** What is found where a request has no cookies, or none that count. */
export const NO_COOKIES: TokenCookies = {
  present: false,
  refreshToken: null,
  assertAllowed() {
    throw identityErrors.COOKIES_DISABLED();
  },
  keep() {
    throw identityErrors.COOKIES_DISABLED();
  },
  clear() {},
};

/** Names that a browser takes from nobody but this very host, over TLS; outside production there may be no TLS. */
function namesOf(production: boolean): { readonly access: string; readonly refresh: string } {
  const prefix = production ? '__Host-' : '';
  return { access: `${prefix}tollhouse_access`, refresh: `${prefix}tollhouse_refresh` };
}

/**
 * Reads the tokens that a browser has added to a request; none where the installation keeps none, or where a header
 * says who asks.
 * @throws CSRF_REFUSED when they came with a request that any page could have caused
 */
export function readCookies(request: IncomingMessage, { environment, signInOrigins }: Resources): ReceivedCookies {
  const { authorization, [KEY_HEADER]: key, cookie } = request.headers;
  const said = authorization !== undefined || key !== undefined;
  if (!environment.COOKIES || said || cookie === undefined) return NOTHING;
  const names = namesOf(environment.production);
  const accessToken = cookieOf(cookie, names.access);
  const refreshToken = cookieOf(cookie, names.refresh);
  if (accessToken === null && refreshToken === null) return NOTHING;
  assertOwnPage(request, signInOrigins);
  return { accessToken, refreshToken };
}

const NOTHING: ReceivedCookies = { accessToken: null, refreshToken: null };

/** The first of that name: a browser puts the one of the longest path in front. */
function cookieOf(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const [key = '', value = ''] = pair.split(/=(.*)/s, 2);
    if (key.trim() === name) return value.trim() || null;
  }
  return null;
}

/**
 * A browser adds cookies to whatever any page makes it send. A foreign page can set neither this header nor its own
 * origin without asking first, and is told no; an address that is opened, and a form, can set no header at all.
 */
function assertOwnPage({ method, headers }: IncomingMessage, origins: readonly string[]): void {
  if (method !== 'POST') throw identityErrors.CSRF_REFUSED({ missing: 'POST' });
  if (!headers[CSRF_HEADER]) throw identityErrors.CSRF_REFUSED({ missing: 'X-Tollhouse-CSRF' });
  if (headers.origin === undefined || !origins.includes(headers.origin)) {
    throw identityErrors.CSRF_REFUSED({ missing: 'Origin' });
  }
}

/** What commands may do with the browser's cookies in answer to this request. */
export function openCookies(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { environment, signInOrigins, clock }: Resources,
  { accessToken, refreshToken }: ReceivedCookies,
): TokenCookies {
  if (!environment.COOKIES) return NO_COOKIES;
  const { access, refresh } = namesOf(environment.production);
  const set = (name: string, value: string, seconds: number): string =>
    `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${environment.production ? '; Secure' : ''}`;
  return {
    present: accessToken !== null || refreshToken !== null,
    refreshToken,
    assertAllowed: () => assertOwnPage(request, signInOrigins),
    keep(tokens) {
      const lifetime = Math.max(0, Math.floor((tokens.expiresAt.getTime() - clock.now()) / 1000));
      response.setHeader('set-cookie', [
        set(access, tokens.accessToken, lifetime),
        set(refresh, tokens.refreshToken, environment.SESSION_DAYS * DAY_SECONDS),
      ]);
    },
    clear() {
      response.setHeader('set-cookie', [set(access, '', 0), set(refresh, '', 0)]);
    },
  };
}
