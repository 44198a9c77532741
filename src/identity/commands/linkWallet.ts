import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { newId } from '../../kernel/ids.ts';
import { walletLinked } from '../events.ts';
import type { ProvedWallet, SignedText } from '../model.ts';
import { lockWallets } from './lockWallets.ts';
import { proveWallet } from './proveWallet.ts';
import { recordProof } from './recordProof.ts';
import { refuseLinked } from './refuseLinked.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { tellOrganizations } from './tellOrganizations.ts';

/** A wallet that is the user's now. */
export interface LinkedWallet {
  readonly walletId: string;
  /** Whether it was so before, and nothing changed. */
  readonly alreadyLinked: boolean;
}

/**
 * Attaches a wallet that was just proved to the signed-in user. The scene carries the account, and the database lets
 * the session's user have that one and no other.
 * @throws STEP_UP_REQUIRED, TOO_MANY_IDENTITIES, IDENTITY_LINKED_TO_OTHER_USER with a ticket to merge with them
 */
export async function linkWallet(context: Context, input: SignedText): Promise<LinkedWallet> {
  // Asked first, so that who must step up keeps the challenge.
  const { userId } = await requireFreshProof(context, context.scope.db);
  return proveWallet(
    context,
    { ...input, purpose: 'LINK' },
    async (wallet) => (await attach(context, wallet, userId)) ?? refuseLinked(context, wallet),
  );
}

/** Null when another user has it. */
async function attach(context: Context, wallet: ProvedWallet, userId: string): Promise<LinkedWallet | null> {
  return context.provedScope(wallet).transaction(async (tx) => {
    await lockWallets(tx, userId);
    const added = await addWallet(tx, wallet, userId);
    const walletId = added ?? (await findOwn(tx, wallet));
    if (walletId === null) return null;
    if (added !== null) {
      const { address, kind } = wallet;
      await tellOrganizations(context, tx, (organizationId) =>
        walletLinked({ organizationId, userId, walletId, address, kind }),
      );
    }
    await recordProof(context, tx, wallet, 'LINK');
    return { walletId, alreadyLinked: added === null };
  });
}

/** The new row's id; null when somebody has the wallet, perhaps the user. Of two at one instant the index lets one in. */
async function addWallet(tx: Transaction, wallet: ProvedWallet, userId: string): Promise<string | null> {
  const { issuer, subject, address, chainId, kind, source } = wallet;
  const [added] = await tx.$queryRaw<{ id: string }[]>`
    /* linkWallet */
    insert into identities (
      id, user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source, is_primary
    )
    select
      ${newId()}::uuid, ${userId}::uuid, 'WALLET', ${issuer}, ${subject}, ${address},
      ${kind === 'CONTRACT' ? chainId : null}::bigint, ${kind}::wallet_kind,
      ${source}::wallet_source,
      not exists (select from identities i where i.user_id = ${userId}::uuid and i.is_primary)
    on conflict (issuer, subject) do nothing
    returning id`;
  return added?.id ?? null;
}

async function findOwn(tx: Transaction, { issuer, subject }: ProvedWallet): Promise<string | null> {
  const [own] = await tx.$queryRaw<{ id: string }[]>`
    /* findOwnWallet */
    select id
    from identities
    where issuer = ${issuer} and subject = ${subject} and user_id = (select current_user_id())`;
  return own?.id ?? null;
}
