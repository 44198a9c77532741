import type { Context } from '../../context.ts';
import type { SignedIn } from './openSession.ts';

/** How a session's tokens come to the client: in the answer, or in cookies that no code of the page can read. */
export type TokenTransport = 'BEARER' | 'COOKIE';

/** A session whose tokens are on their way; null where they went into cookies. */
export type CarriedSession = Omit<SignedIn, 'accessToken' | 'refreshToken'> & {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
};

/**
 * Opens a session and hands over its tokens as the client wants them.
 * @throws COOKIES_DISABLED, CSRF_REFUSED before anything is opened
 */
export async function carryTokens(
  { cookies }: Context,
  { transport, open }: { readonly transport: TokenTransport; readonly open: () => Promise<SignedIn> },
): Promise<CarriedSession> {
  if (transport === 'BEARER') return open();
  cookies.assertAllowed();
  const session = await open();
  cookies.keep(session);
  return { ...session, accessToken: null, refreshToken: null };
}
