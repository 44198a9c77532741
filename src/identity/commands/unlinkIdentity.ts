import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { NewEvent } from '../../events/commands/appendEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { identityErrors } from '../errors.ts';
import { identityUnlinked, primaryWalletChanged, walletUnlinked } from '../events.ts';
import { lockWallets } from './lockWallets.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { tellOrganizations } from './tellOrganizations.ts';

/** An identity that is a stranger now. */
export interface UnlinkedIdentity {
  readonly identityId: string;
  /** Whether the session that asked was begun with it, and is over. */
  readonly signedOut: boolean;
}

/**
 * Gives up one of the signed-in user's identities, whatever its kind. The database ends the sessions that it began; if
 * it was the preferred wallet, the oldest that is left takes its place; wallets that it controlled stay, without it.
 * @param input.id the identity's; null when what was given names none
 * @throws STEP_UP_REQUIRED, IDENTITY_UNKNOWN; LAST_IDENTITY and WALLET_IN_USE of wallets
 */
export async function unlinkIdentity(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<UnlinkedIdentity>> {
  const { scope } = context;
  const { userId, sessionId } = await requireFreshProof(context, scope.db);
  const { id, idempotencyKey } = input;
  if (id === null) throw identityErrors.IDENTITY_UNKNOWN();
  const done = await changeOnce<UnlinkedIdentity>(context, {
    operation: 'unlinkIdentity',
    id,
    idempotencyKey,
    run: async (tx) => {
      await lockWallets(tx, userId);
      const identity = await findUnlinkable(tx, id, sessionId);
      await tx.$executeRaw`/* unlinkIdentity */ delete from identities where id = ${id}::uuid`;
      await tellOrganizations(context, tx, (organizationId) => unlinked(identity, { organizationId, userId, id }));
      if (identity.isPrimary) await preferOldest(context, tx, userId);
      return { identityId: id, signedOut: identity.signedOut };
    },
    // Who asks again is signed in, and so was not signed out.
    replay: (identityId) => ({ identityId, signedOut: false }),
  });
  if (done.signedOut) context.become(null);
  return done;
}

interface Unlinkable {
  readonly kind: string;
  readonly issuer: string;
  /** Null of what is no wallet. */
  readonly address: string | null;
  readonly version: number;
  readonly isPrimary: boolean;
  readonly signedOut: boolean;
}

/** The identity, if it may go. Nothing but a wallet signs in by itself, and so the last wallet may not. */
async function findUnlinkable(tx: Transaction, id: string, sessionId: string): Promise<Unlinkable> {
  const [identity] = await tx.$queryRaw<(Unlinkable & { isLast: boolean; isNeeded: boolean })[]>`
    /* findUnlinkableIdentity */
    select
      i.kind,
      i.issuer,
      i.address,
      i.version,
      i.is_primary as "isPrimary",
      i.kind = 'WALLET' and not exists (
        select from identities other where other.user_id = i.user_id and other.kind = 'WALLET' and other.id <> i.id
      ) as "isLast",
      i.kind = 'WALLET' and is_needed_payee(i.id) as "isNeeded",
      exists (select from sessions s where s.id = ${sessionId}::uuid and s.identity_id = i.id) as "signedOut"
    from identities i
    where i.id = ${id}::uuid and i.user_id = (select current_user_id())`;
  if (!identity) throw identityErrors.IDENTITY_UNKNOWN();
  if (identity.isLast) throw identityErrors.LAST_IDENTITY();
  if (identity.isNeeded) throw identityErrors.WALLET_IN_USE({ address: identity.address ?? '' });
  return identity;
}

/** The fact in one organization. */
function unlinked(
  identity: Unlinkable,
  { id, ...told }: { readonly organizationId: string; readonly userId: string; readonly id: string },
): NewEvent {
  const { kind, issuer, address } = identity;
  const version = identity.version + 1;
  return address === null
    ? identityUnlinked({ ...told, identityId: id, kind, issuer, version })
    : walletUnlinked({ ...told, walletId: id, address, version });
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
