import type { Context } from '../../context.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { identityErrors } from '../errors.ts';
import { primaryWalletChanged } from '../events.ts';
import { lockWallets } from './lockWallets.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { tellOrganizations } from './tellOrganizations.ts';

/**
 * Makes one of the signed-in user's wallets the one that they prefer. If it is that already, nothing changes.
 * @param input.id the wallet's; null when what was given names no wallet
 * @throws STEP_UP_REQUIRED, WALLET_UNKNOWN
 */
export async function setPrimaryWallet(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly walletId: string }>> {
  const { scope } = context;
  const { userId } = await requireFreshProof(context, scope.db);
  const { id, idempotencyKey } = input;
  if (id === null) throw identityErrors.WALLET_UNKNOWN();
  return changeOnce(context, {
    operation: 'setPrimaryWallet',
    id,
    idempotencyKey,
    run: async (tx) => {
      await lockWallets(tx, userId);
      const [wallet] = await tx.$queryRaw<{ isPrimary: boolean; address: string }[]>`
        /* findOwnWallet */
        select is_primary as "isPrimary", address
        from identities
        where id = ${id}::uuid and kind = 'WALLET' and user_id = (select current_user_id())`;
      if (!wallet) throw identityErrors.WALLET_UNKNOWN();
      if (wallet.isPrimary) return { walletId: id };
      await tx.$executeRaw`
        /* unsetPrimaryWallet */
        update identities set is_primary = false where user_id = (select current_user_id()) and is_primary`;
      const [preferred] = await tx.$queryRaw<[{ version: number }]>`
        /* setPrimaryWallet */
        update identities set is_primary = true, version = version + 1 where id = ${id}::uuid returning version`;
      const { version } = preferred;
      const { address } = wallet;
      await tellOrganizations(context, tx, (organizationId) =>
        primaryWalletChanged({ organizationId, userId, walletId: id, address, version }),
      );
      return { walletId: id };
    },
    replay: (walletId) => ({ walletId }),
  });
}
