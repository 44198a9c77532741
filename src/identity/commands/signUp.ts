import type { Transaction } from '../../database/scope.ts';
import { EOA_ISSUER } from '../model.ts';

/** Makes the user and the identity of a wallet that was just proved, in a scene that names both. */
export async function signUp(
  tx: Transaction,
  newcomer: {
    readonly userId: string;
    readonly identityId: string;
    readonly address: string;
    readonly displayName: string;
  },
): Promise<void> {
  const { userId, identityId, address, displayName } = newcomer;
  await tx.user.createMany({ data: { id: userId, displayName } });
  await tx.identity.createMany({
    data: {
      id: identityId,
      userId,
      kind: 'WALLET',
      issuer: EOA_ISSUER,
      subject: address,
      address,
      walletKind: 'EOA',
      walletSource: 'EXTERNAL',
    },
  });
}
