import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { identityErrors } from '../errors.ts';
import { countedAs, type ProvedWallet } from '../model.ts';
import { addIdentities } from './addIdentities.ts';
import { type Account, findOwnAccounts } from './findOwnAccounts.ts';
import { forgetFailures } from './forgetFailures.ts';
import { lockWallets } from './lockWallets.ts';
import { readThirdwebWallet } from './readThirdwebWallet.ts';
import { recordProof } from './recordProof.ts';
import { recordRefusal } from './recordRefusal.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { takeAttempt } from './takeAttempt.ts';
import { tellLinked } from './tellLinked.ts';

/** Identities that are the user's now. */
export interface LinkedProfile {
  readonly identityIds: readonly string[];
  /** Whether all were so before, and nothing changed. */
  readonly alreadyLinked: boolean;
}

/**
 * Makes an in-app wallet the signed-in user's, with its smart account and its profiles, by its auth token: all, or none
 * where one of them is somebody else's. It gives no ticket to merge: who signs in by a token has no fresh proof either,
 * and must not get at more by handing it in here.
 * @throws STEP_UP_REQUIRED, THIRDWEB_NOT_CONFIGURED, THIRDWEB_TOKEN_INVALID, THIRDWEB_UNAVAILABLE,
 * IDENTITY_LINKED_TO_OTHER_USER
 */
export async function linkThirdwebProfile(
  context: Context,
  { authToken }: { readonly authToken: string },
): Promise<LinkedProfile> {
  const { userId } = await requireFreshProof(context, context.scope.db);
  if (!context.thirdwebAccounts) throw identityErrors.THIRDWEB_NOT_CONFIGURED();
  const counted = countedAs(authToken);
  const { hasFailed } = await takeAttempt(context, { nonce: null, address: counted });
  const chainId = context.signInChainIds[0] ?? 1;
  try {
    const wallet = await readThirdwebWallet(context, { authToken, chainId, domain: null });
    if (hasFailed) await forgetFailures(context, counted);
    return await attach(context, wallet, userId);
  } catch (error) {
    if (error instanceof GatewayError) {
      const { code: outcome } = error;
      await recordRefusal(context, { purpose: 'LINK', outcome, domain: null, chainId, address: null, counted });
    }
    throw error;
  }
}

async function attach(context: Context, wallet: ProvedWallet, userId: string): Promise<LinkedProfile> {
  const accounts: readonly Account[] = [wallet, ...wallet.beside];
  return context.provedScope(wallet, wallet.beside).transaction(async (tx) => {
    await lockWallets(tx, userId);
    const before = new Set((await findOwnAccounts(tx, accounts)).map(({ id }) => id));
    await addWallet(tx, wallet, userId);
    if (wallet.beside.length > 0) await addIdentities(tx, wallet, wallet.beside);
    const own = await findOwnAccounts(tx, accounts);
    const isOwn = ({ issuer, subject }: Account): boolean =>
      own.some((o) => o.issuer === issuer && o.subject === subject);
    if (!accounts.every(isOwn)) throw identityErrors.IDENTITY_LINKED_TO_OTHER_USER();
    for (const linked of own.filter(({ id }) => !before.has(id))) await tellLinked(context, tx, userId, linked);
    await recordProof(context, tx, wallet, 'LINK');
    return { identityIds: own.map(({ id }) => id), alreadyLinked: before.size === own.length };
  });
}

async function addWallet(tx: Transaction, wallet: ProvedWallet, userId: string): Promise<void> {
  const { issuer, subject, address, kind, source } = wallet;
  await tx.$executeRaw`
    /* linkInAppWallet */
    insert into identities (
      id, user_id, kind, issuer, subject, address, wallet_kind, wallet_source, is_primary
    )
    select
      ${newId()}::uuid, ${userId}::uuid, 'WALLET', ${issuer}, ${subject}, ${address}, ${kind}::wallet_kind,
      ${source}::wallet_source,
      not exists (select from identities i where i.user_id = ${userId}::uuid and i.is_primary)
    on conflict (issuer, subject) do nothing`;
}
