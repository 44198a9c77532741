import { cleanEmail } from '../../identity/commands/cleanEmail.ts';
import { type StoredAddress, storeAddress } from '../../kernel/address.ts';
import { kernelErrors } from '../../kernel/errors.ts';

/** Who is invited: whoever reads an e-mail address, or an account. */
export interface Invited {
  readonly email: string | null;
  readonly address: StoredAddress | null;
  /** The chain of a contract's account; null for an account of a key, which is one on all chains. */
  readonly chainId: number | null;
}

/**
 * Exactly one of the two, in the spelling that it is stored in.
 * @throws BAD_USER_INPUT
 */
export function cleanInvited({
  email,
  address,
  chainId,
}: {
  readonly email?: string | null | undefined;
  readonly address?: string | null | undefined;
  readonly chainId?: number | null | undefined;
}): Invited {
  if ((email == null) === (address == null) || (chainId != null && address == null)) {
    throw kernelErrors.BAD_USER_INPUT({
      field: 'input',
      expected: 'either `email`, or `address` and perhaps `chainId`',
    });
  }
  if (email != null) return { email: cleanEmail(email), address: null, chainId: null };
  const stored = storeAddress(address ?? '');
  if (stored === null) throw kernelErrors.BAD_USER_INPUT({ field: 'address', expected: 'an address' });
  if (chainId != null && chainId < 1) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'chainId', expected: 'the id of a chain' });
  }
  return { email: null, address: stored, chainId: chainId ?? null };
}
