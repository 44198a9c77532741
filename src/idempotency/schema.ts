import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../context.ts';
import type { GivenKey } from './commands/once.ts';

/** What every mutation says of its `idempotencyKey`. */
export const IDEMPOTENCY_KEY =
  'Names this deed, so that it can be repeated without being done twice: 16 to 128 characters that nobody can guess. ' +
  'The header `Idempotency-Key` does the same for each mutation field of a request.';

/** What every payload says of `replayed`. */
export const REPLAYED = 'Whether this was done before with the same idempotency key; nothing was done again.';

/** The key of one mutation field: the one in its input, or else the request's, which counts for each field by its place. */
export function givenKey(own: string | null | undefined, context: Context, info: GraphQLResolveInfo): GivenKey | null {
  if (own != null) return { key: own, path: '' };
  return context.idempotencyKey === null ? null : { key: context.idempotencyKey, path: String(info.path.key) };
}
