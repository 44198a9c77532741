import type { Context } from '../../context.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { type CarriedSession, carryTokens, type TokenTransport } from './carryTokens.ts';
import { refreshSession } from './refreshSession.ts';

/** What says that a cookie is good for nothing any more. */
const OVER = new Set(['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'SIGNER_NO_LONGER_VALID', 'UNAUTHENTICATED']);

/**
 * Exchanges the refresh token of the input, or else of the cookie, for the next pair. What came in a cookie goes into
 * cookies again: a page that cannot read its tokens is not to be shown them by asking. A cookie that is over is taken
 * away.
 */
export async function renewTokens(
  context: Context,
  input: { readonly refreshToken?: string | null | undefined; readonly transport: TokenTransport },
): Promise<CarriedSession> {
  if (input.refreshToken != null) {
    const { refreshToken, transport } = input;
    return carryTokens(context, { transport, open: () => refreshSession(context, { refreshToken }) });
  }
  const { refreshToken } = context.cookies;
  if (refreshToken === null) throw identityErrors.REFRESH_TOKEN_INVALID({ missing: 'refreshToken' });
  try {
    return await carryTokens(context, {
      transport: 'COOKIE',
      open: () => refreshSession(context, { refreshToken }),
    });
  } catch (error) {
    if (error instanceof GatewayError && OVER.has(error.code)) context.cookies.clear();
    throw error;
  }
}
