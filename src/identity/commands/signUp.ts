import type { Transaction } from '../../database/scope.ts';
import type { ProvedWallet } from '../model.ts';

/** Makes the user and the identity of a wallet that was just proved, in a scene that names both. */
export async function signUp(
  tx: Transaction,
  newcomer: {
    readonly userId: string;
    readonly identityId: string;
    readonly wallet: ProvedWallet;
    readonly displayName: string;
  },
): Promise<void> {
  const { userId, identityId, wallet, displayName } = newcomer;
  await tx.user.createMany({ data: { id: userId, displayName } });
  await tx.identity.createMany({
    data: {
      id: identityId,
      userId,
      kind: 'WALLET',
      issuer: wallet.issuer,
      subject: wallet.subject,
      address: wallet.address,
      chainId: wallet.kind === 'CONTRACT' ? wallet.chainId : null,
      walletKind: wallet.kind,
      walletSource: wallet.source,
      isPrimary: true,
    },
  });
}
