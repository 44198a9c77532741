import type { Context } from '../../context.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { FRESH_SECONDS, type SignedText } from '../model.ts';
import { proveWallet } from './proveWallet.ts';
import { recordProof } from './recordProof.ts';

/** A session that may change its account for some minutes. */
export interface FreshSession {
  readonly provedAt: Date;
  readonly freshUntil: Date;
}

/** Proves again that it is the user, by any wallet of theirs; the session is fresh from now on. */
export async function stepUp(context: Context, input: SignedText): Promise<FreshSession> {
  if (!context.viewer) throw kernelErrors.UNAUTHENTICATED();
  return proveWallet(context, { ...input, purpose: 'STEP_UP' }, (wallet) =>
    context.provedScope(wallet).transaction(async (tx) => {
      const [stepped] = await tx.$queryRaw<{ provedAt: Date | null }[]>`/* stepUp */ select step_up() as "provedAt"`;
      if (!stepped?.provedAt) throw identityErrors.WALLET_NOT_YOURS();
      await recordProof(context, tx, wallet, 'STEP_UP');
      const { provedAt } = stepped;
      return { provedAt, freshUntil: new Date(provedAt.getTime() + FRESH_SECONDS * 1000) };
    }),
  );
}
