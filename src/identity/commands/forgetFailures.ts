import type { Context } from '../../context.ts';
import { failureKeys } from '../model.ts';

/** Whoever has proved a wallet starts anew with it; what its client did with others stays counted. */
export async function forgetFailures(context: Context, address: string): Promise<void> {
  const { pair } = failureKeys(context.client.limitKey, address);
  await context.identityScope({}).write((tx) => [
    tx.$queryRaw`
      /* forgetFailures */
      select forget_sign_in_failures(${pair}::bytea)`,
  ]);
}
