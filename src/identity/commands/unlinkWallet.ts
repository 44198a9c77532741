import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { identityErrors } from '../errors.ts';
import { primaryWalletChanged, walletUnlinked } from '../events.ts';
import { lockWallets } from './lockWallets.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { tellOrganizations } from './tellOrganizations.ts';

/** A wallet that is a stranger now. */
export interface UnlinkedWallet {
  readonly walletId: string;
  /** Whether the session that asked was begun with it, and is over. */
  readonly signedOut: boolean;
}

/**
 * Gives up one of the signed-in user's wallets. The database ends the sessions that it began; if it was the preferred
 * one, the oldest that is left takes its place.
 * @param input.id the wallet's; null when what was given names no wallet
 * @throws STEP_UP_REQUIRED, WALLET_UNKNOWN, LAST_IDENTITY, WALLET_IN_USE
 */
export async function unlinkWallet(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<UnlinkedWallet>> {
  const { scope } = context;
  const { userId, organizationId, sessionId } = await requireFreshProof(context, scope.db);
  const { id, idempotencyKey } = input;
  if (id === null) throw identityErrors.WALLET_UNKNOWN();
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'unlinkWallet',
    variables: { id },
    resultId: id,
  };
  const done = await once<UnlinkedWallet>(
    scope,
    keyed,
    (record) =>
      scope.transaction(async (tx) => {
        for (const deed of record(tx)) await deed;
        await lockWallets(tx, userId);
        const { address, version, isPrimary, signedOut } = await findUnlinkable(tx, id, sessionId);
        await tx.$executeRaw`/* unlinkWallet */ delete from identities where id = ${id}::uuid`;
        await tellOrganizations(context, tx, (organizationId) =>
          walletUnlinked({ organizationId, userId, walletId: id, address, version: version + 1 }),
        );
        if (isPrimary) await preferOldest(context, tx, userId);
        return { walletId: id, signedOut };
      }),
    // Who asks again is signed in, and so was not signed out.
    async (walletId) => ({ walletId, signedOut: false }),
  );
  if (done.signedOut) context.become(null);
  return done;
}

interface Unlinkable {
  readonly address: string;
  readonly version: number;
  readonly isPrimary: boolean;
  readonly signedOut: boolean;
}

/** The wallet, if it may go. */
async function findUnlinkable(tx: Transaction, id: string, sessionId: string): Promise<Unlinkable> {
  const [wallet] = await tx.$queryRaw<(Unlinkable & { isLast: boolean; isNeeded: boolean })[]>`
    /* findUnlinkableWallet */
    select
      i.address,
      i.version,
      i.is_primary as "isPrimary",
      not exists (select from identities other where other.user_id = i.user_id and other.id <> i.id) as "isLast",
      is_needed_payee(i.id) as "isNeeded",
      exists (select from sessions s where s.id = ${sessionId}::uuid and s.identity_id = i.id) as "signedOut"
    from identities i
    where i.id = ${id}::uuid and i.kind = 'WALLET' and i.user_id = (select current_user_id())`;
  if (!wallet) throw identityErrors.WALLET_UNKNOWN();
  if (wallet.isLast) throw identityErrors.LAST_IDENTITY();
  if (wallet.isNeeded) throw identityErrors.WALLET_IN_USE({ address: wallet.address });
  return wallet;
}

/** Prefers the wallet that was linked first of those that are left, if there is one. */
async function preferOldest(context: Context, tx: Transaction, userId: string): Promise<void> {
  const [preferred] = await tx.$queryRaw<{ id: string; address: string; version: number }[]>`
    /* preferOldestWallet */
    update identities
    set is_primary = true, version = version + 1
    where id = (
      select id
      from identities
      where user_id = (select current_user_id()) and kind = 'WALLET'
      order by created_at, id
      limit 1
    )
    returning id, address, version`;
  if (!preferred) return;
  const { id: walletId, address, version } = preferred;
  await tellOrganizations(context, tx, (organizationId) =>
    primaryWalletChanged({ organizationId, userId, walletId, address, version }),
  );
}
