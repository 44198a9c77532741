import type { Tokens } from '../context.ts';
import { kernelErrors } from '../kernel/errors.ts';
import type { Viewer } from '../kernel/viewer.ts';

const BEARER = /^bearer ([\w.~+/-]+=*)$/i;

/**
 * Who is asking: nobody without the header; whatever else does not prove a viewer fails the whole request, so that a
 * client with an expired token is never answered as if it had come without one.
 * @param authorization the header; a token is taken from nowhere else, since addresses end up in logs and histories
 * @throws UNAUTHENTICATED
 */
export async function readViewer(authorization: string | undefined, tokens: Tokens): Promise<Viewer | null> {
  if (authorization === undefined) return null;
  const [, token] = BEARER.exec(authorization) ?? [];
  if (token === undefined) throw kernelErrors.UNAUTHENTICATED({ expected: 'Authorization: Bearer …' });
  return tokens.verify(token);
}
