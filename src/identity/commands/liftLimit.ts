import type { Context } from '../../context.ts';

/** More than anything is done in any time. */
const UNLIMITED = 2_147_483_647;

/** How often something may be done: the limit, or any number while limits are lifted for a load test. */
export function liftLimit({ environment }: Pick<Context, 'environment'>, limit: number): number {
  return environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS ? UNLIMITED : limit;
}
