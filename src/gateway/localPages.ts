import type { Resources } from '../context.ts';

/**
 * Where a developer has named no pages to sign in from, whatever page this machine serves is one: front ends that are
 * being written come from a port of their own. Never in production, and never where tokens are kept in cookies, since
 * a browser adds those whatever the port.
 * @param origin the request's `Origin` header
 */
export function admitLocalPage(resources: Resources, origin: string | undefined): Resources {
  const { environment, signInOrigins } = resources;
  const { production, SIGN_IN_ORIGINS, COOKIES } = environment;
  if (production || SIGN_IN_ORIGINS !== undefined || COOKIES) return resources;
  if (origin === undefined || signInOrigins.includes(origin) || !isLocal(origin)) return resources;
  return { ...resources, signInOrigins: [...signInOrigins, origin] };
}

const HOSTS = ['localhost', '127.0.0.1'];

/** Exact, so that nothing else passes for it: a page of another site says that site, whatever address it was found at. */
function isLocal(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.protocol === 'http:' && HOSTS.includes(url.hostname) && url.origin === origin;
}
