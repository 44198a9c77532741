import type { Context } from '../../context.ts';
import { identityErrors } from '../errors.ts';
import { readSiweMessage, type SignedText } from '../model.ts';

/**
 * Asks the contract wallet that a session was begun with whether it still takes its own signature. If its owner was
 * changed it does not, and then the session ends, with all that the same signing-in began.
 * @throws SIGNER_NO_LONGER_VALID; SIGNATURE_CHECK_UNAVAILABLE, and nothing has changed
 */
export async function askSignerAgain(
  context: Context,
  session: SignedText & { readonly sessionId: string; readonly rootId: string | null },
): Promise<void> {
  const { message, signature, sessionId, rootId } = session;
  const siwe = readSiweMessage(message, signature);
  if (siwe) {
    const { address, chainId } = siwe;
    const verified = await context.walletVerifier.verify({ address, chainId, message, signature });
    if (verified?.kind === 'CONTRACT') return;
  }
  // The root first: once it is over, so is all that was switched from it, this one included.
  if (rootId !== null) await endForgone(context, rootId);
  await endForgone(context, sessionId);
  throw identityErrors.SIGNER_NO_LONGER_VALID();
}

async function endForgone(context: Context, sessionId: string): Promise<void> {
  await context.identityScope({ sessionId }).write((tx) => [
    tx.$executeRaw`
      /* endForgoneSession */
      update sessions
      set ended_at = clock_timestamp(), end_reason = 'signer no longer valid'
      where id = ${sessionId}::uuid and ended_at is null`,
  ]);
}
