import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';

/**
 * Lets only somebody pass who may write keys.
 * @throws FORBIDDEN
 */
export async function requireKeysWrite(tx: Pick<Transaction, '$queryRaw'>): Promise<void> {
  const [may] = await tx.$queryRaw<{ permitted: boolean }[]>`
    /* mayWriteKeys */
    select has_permission('keys:write') as permitted`;
  if (!may?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'keys:write' });
}
