import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { type ChallengePurpose, plainWords, shortAddress } from '../model.ts';
import { type ChallengedWallet, giveChallenge, type WalletChallenge } from './giveChallenge.ts';

/**
 * Gives the signed-in person a text for a wallet: to link it, or to prove again that it is them. The text names the
 * account, so that whoever signs it knows which; only a session of that account can hand it in.
 * @throws SESSION_BOUND
 */
export async function createWalletChallenge(
  context: Context,
  input: ChallengedWallet & { readonly address: string; readonly purpose: Exclude<ChallengePurpose, 'SIGN_IN'> },
): Promise<WalletChallenge> {
  const { viewer, scope } = context;
  assertPerson(viewer);
  const { userId, sessionId } = viewer;
  const { purpose, address, chainId } = input;
  const { displayName, identities, sessions } = await scope.db.user.findUniqueOrThrow({
    where: { id: userId },
    select: {
      displayName: true,
      identities: { where: { isPrimary: true }, select: { address: true }, take: 1 },
      sessions: { where: { id: sessionId }, select: { domainId: true } },
    },
  });
  if (sessions[0]?.domainId != null) throw databaseErrors.SESSION_BOUND();
  const account = describeAccount(displayName, identities[0]?.address ?? null);
  const statement =
    purpose === 'LINK'
      ? `Link this wallet to ${account}. Whoever signs in with it will be that account. ${MERGING}`
      : `Prove again that you are ${account}, before something of that account is changed.`;
  return giveChallenge(context, { purpose, address, chainId, statement, userId });
}

/** Said of every wallet: who signs is not told beforehand whether it has an account. */
const MERGING = 'If it has an account here already, signing lets that account be merged with this one.';

/** The account in the characters that EIP-4361 allows: a name is anybody's choice, the wallet beside it is not. */
function describeAccount(displayName: string, primary: string | null): string {
  const name = plainWords(displayName);
  const of = primary === null ? '' : ` of ${plainWords(shortAddress(primary))}`;
  return name === '' ? `the account${of}` : `'${name}', the account${of}`;
}
