import { kernelErrors } from '../../kernel/errors.ts';
import { KEY_SCOPES } from '../../kernel/permissions.ts';

/**
 * The scopes that are meant, each once and in the one order that they have.
 * @throws BAD_USER_INPUT
 */
export function cleanScopes(given: readonly string[]): readonly string[] {
  const known: readonly string[] = KEY_SCOPES;
  if (given.length === 0 || !given.every((scope) => known.includes(scope))) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'scopes', expected: `at least one of ${known.join(', ')}` });
  }
  // who makes a link is answered with it
  if (given.includes('payments:write') && !given.includes('payment-links:read')) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'scopes', expected: 'payment-links:read beside payments:write' });
  }
  return known.filter((scope) => given.includes(scope));
}
