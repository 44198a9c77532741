import type { Transaction } from '../../database/scope.ts';

/**
 * Holds a chain until the transaction ends. The watcher moves the head under the exclusive lock; who needs the head to
 * stand still while it adds an order or an account shares it. So no block is read between an order's head and the
 * moment from which its payee is watched.
 */
export async function lockChain(tx: Transaction, chainId: number, mode: 'exclusive' | 'shared'): Promise<void> {
  const name = `chain ${chainId}`;
  await (mode === 'exclusive'
    ? tx.$executeRaw`/* lockChain */ select pg_advisory_xact_lock(hashtextextended(${name}, 0))`
    : tx.$executeRaw`/* shareChain */ select pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`);
}
