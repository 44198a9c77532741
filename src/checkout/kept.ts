import { type Asked, readAsked } from './asked.ts';

/** What a page remembers of the payment that it began, so that loading it again goes on with it. */
export interface Kept {
  /** The payer’s handle of the order. */
  readonly token: string;
  /** What a wallet was asked for it. */
  readonly asked?: Asked | undefined;
  /** Whether a link led to it, so that somebody else may have begun it. */
  readonly isGiven?: boolean | undefined;
}

const TOKEN = /^[A-Za-z0-9_-]{16,64}$/;
const FRAGMENT = '#order=';

/**
 * The payment that this tab is at. It is kept in the tab’s own storage: nothing of it stands in the address, in the
 * history, or in what a payer copies from there without meaning to. Only a link that was copied on purpose carries it, in
 * its fragment, which no server sees; it is taken out of the address at once.
 */
export function readKept(slug: string): Kept | null {
  const { hash, pathname, search } = location;
  if (hash.startsWith(FRAGMENT)) {
    history.replaceState(null, '', pathname + search);
    const token = hash.slice(FRAGMENT.length);
    if (TOKEN.test(token)) return keep(slug, stored(slug, token) ?? { token, isGiven: true });
  }
  return stored(slug);
}

function stored(slug: string, token?: string): Kept | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(nameOf(slug)) ?? 'null');
    if (typeof kept !== 'object' || kept === null || !('token' in kept)) return null;
    const { token: found, asked, isGiven } = kept as Record<string, unknown>;
    if (typeof found !== 'string' || !TOKEN.test(found) || (token ?? found) !== found) return null;
    return { token: found, asked: readAsked(asked), isGiven: isGiven === true };
  } catch {
    // storage may be switched off, and what is in it may be anything
    return null;
  }
}

/** Remembers a payment. */
export function keep(slug: string, kept: Kept): Kept {
  try {
    sessionStorage.setItem(nameOf(slug), JSON.stringify(kept));
  } catch {
    // without storage the payment lasts as long as the page
  }
  return kept;
}

/** Forgets the payment: the next one is a new one. */
export function forget(slug: string): void {
  try {
    sessionStorage.removeItem(nameOf(slug));
  } catch {
    // as above
  }
}

/** The address of this very payment, for whoever copies it on purpose. */
export function linkTo(token: string): string {
  return `${location.origin}${location.pathname}${FRAGMENT}${token}`;
}

function nameOf(slug: string): string {
  return `tollhouse-payment ${slug}`;
}
