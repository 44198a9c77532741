import type { Resources } from '../context.ts';
import { describeFault } from '../graphql/errors.ts';
import { findSignInDomain } from '../identity/commands/findSignInDomain.ts';
import type { Exchange } from './answer.ts';
import { CSRF_HEADER } from './cookies.ts';

const ALLOWED_HEADERS = 'content-type, authorization, x-api-key, x-request-id, idempotency-key';

/**
 * Lets the pages that people sign in from read the answer, and no other page. Where tokens are kept in cookies, a
 * browser may add them to what those pages send. Where they are not, there are no credentials to allow: a browser adds
 * nothing to a request by itself that we would take for somebody, since tokens come in a header that only the page's
 * own code can set. For the same reason a page elsewhere can forge no request in a visitor's name.
 */
export function allowOrigin({ request, response }: Exchange, origins: readonly string[], cookies: boolean): void {
  response.setHeader('vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'Retry-After, x-request-id');
  if (cookies) response.setHeader('access-control-allow-credentials', 'true');
}

/**
 * Lets the pages of organizations' own domains read the answer, too, without credentials: a cookie of ours would be
 * another site's there, which no browser brings along.
 */
export async function allowOwnDomain(
  { request, response, requestId, log }: Exchange,
  resources: Resources,
): Promise<void> {
  const { origin } = request.headers;
  if (origin === undefined || response.hasHeader('access-control-allow-origin')) return;
  const own = await findSignInDomain({ ...resources, requestId }, origin).catch((err: unknown) => {
    // The page is not let in then; what it asked for may be answered all the same.
    log.warn({ err: describeFault(err), requestId }, 'an origin could not be looked up');
    return null;
  });
  if (!own) return;
  response.setHeader('access-control-allow-origin', own.origin);
  response.setHeader('access-control-expose-headers', 'Retry-After, x-request-id');
}

/** Answers what a browser asks before it sends a page's request, once `allowOrigin` has judged the page. */
export function answerPreflight({ response }: Exchange, cookies: boolean): void {
  const allowed = response.hasHeader('access-control-allow-origin');
  response.writeHead(204, {
    allow: 'GET, POST, OPTIONS',
    ...(allowed && {
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': cookies ? `${ALLOWED_HEADERS}, ${CSRF_HEADER}` : ALLOWED_HEADERS,
      'access-control-max-age': '86400',
    }),
  });
  response.end();
}
