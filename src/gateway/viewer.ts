import type { IncomingHttpHeaders } from 'node:http';
import type { Tokens } from '../context.ts';
import { KEY_MARK } from '../kernel/apiKey.ts';
import { kernelErrors } from '../kernel/errors.ts';
import type { KeyViewer, Viewer } from '../kernel/viewer.ts';
import { KEY_HEADER, type ReceivedCookies } from './cookies.ts';

const BEARER = /^bearer ([\w.~+/-]+=*)$/i;

/** Who is asking, as far as the request itself can say. */
export interface Asker {
  readonly viewer: Viewer | null;
  /** Whether cookies came that prove nobody: such a request may only begin a session, go on with one or end it. */
  readonly stale: boolean;
}

/**
 * Who is asking: nobody without the header and without cookies. A header that does not prove a viewer fails the whole
 * request, so that a client with an expired token is never answered as if it had come without one. So do cookies, but
 * not by themselves: a page cannot leave them out when it wants new ones.
 * @param headers they win over cookies, and an address never holds a token, since addresses end up in logs and
 * histories
 * @throws UNAUTHENTICATED, BAD_REQUEST, and whatever an API key is refused for
 */
export async function readViewer(
  { authorization, [KEY_HEADER]: key }: IncomingHttpHeaders,
  { accessToken, refreshToken }: ReceivedCookies,
  { tokens, findKey }: { readonly tokens: Tokens; readonly findKey: (key: string) => Promise<KeyViewer> },
): Promise<Asker> {
  if (key !== undefined) {
    if (authorization !== undefined) throw kernelErrors.BAD_REQUEST({ fault: 'Authorization and X-API-Key at once' });
    return { viewer: await findKey(String(key)), stale: false };
  }
  if (authorization !== undefined) {
    const [, token] = BEARER.exec(authorization) ?? [];
    if (token === undefined) throw kernelErrors.UNAUTHENTICATED({ expected: 'Authorization: Bearer …' });
    return { viewer: await (token.startsWith(KEY_MARK) ? findKey(token) : tokens.verify(token)), stale: false };
  }
  if (accessToken === null) return { viewer: null, stale: refreshToken !== null };
  const viewer = await tokens.verify(accessToken).catch(() => null);
  return { viewer, stale: viewer === null };
}
