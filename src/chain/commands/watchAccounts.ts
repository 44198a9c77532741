import type { Transaction } from '../../database/scope.ts';

/** Has the watcher record what arrives at these accounts, from the next block on. */
export async function watchAccounts(
  tx: Transaction,
  accounts: readonly { readonly chainId: bigint; readonly address: string }[],
): Promise<void> {
  await tx.watchedAccount.createMany({ data: [...accounts], skipDuplicates: true });
}
