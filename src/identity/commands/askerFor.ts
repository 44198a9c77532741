import type { Context } from '../../context.ts';
import type { ChallengePurpose } from '../model.ts';

/** Whose session a wallet is proved in; signing in is nobody's, whoever is signed in already. */
export function askerFor(purpose: ChallengePurpose, { viewer }: Pick<Context, 'viewer'>): string | null {
  return purpose === 'SIGN_IN' ? null : (viewer?.userId ?? null);
}
