import type { Context } from '../../context.ts';
import type { ThirdwebProfile } from '../../ports.ts';
import { identityErrors } from '../errors.ts';
import { EOA_ISSUER, type ProvedIdentity, type ProvedWallet } from '../model.ts';

/** The kinds of profiles that are more than an account elsewhere. */
const KINDS: Readonly<Record<string, 'email' | 'phone'>> = { email: 'email', phone: 'phone' };

/**
 * Exchanges an in-app wallet's auth token for the wallet, with all that thirdweb says is the same person's: a smart
 * account on that chain, and what they have signed in to thirdweb with.
 * @throws THIRDWEB_NOT_CONFIGURED, THIRDWEB_TOKEN_INVALID, THIRDWEB_UNAVAILABLE, WALLET_KEY_PUBLIC
 */
export async function readThirdwebWallet(
  context: Context,
  input: { readonly authToken: string; readonly chainId: number; readonly domain: string | null },
): Promise<ProvedWallet> {
  const { thirdwebAccounts, refusedAccounts } = context;
  if (!thirdwebAccounts) throw identityErrors.THIRDWEB_NOT_CONFIGURED();
  const { authToken, chainId, domain } = input;
  const { address, smartWalletAddress, profiles } = await thirdwebAccounts.exchange(authToken);
  if (refusedAccounts.has(address)) throw identityErrors.WALLET_KEY_PUBLIC();
  return {
    address: address as ProvedWallet['address'],
    chainId,
    domain,
    kind: 'EOA',
    source: 'THIRDWEB_IN_APP',
    issuer: EOA_ISSUER,
    subject: address,
    proof: null,
    isSigned: false,
    beside: [...smartAccount(smartWalletAddress, chainId), ...profiles.map(identityOf)],
  };
}

function smartAccount(address: string | null, chainId: number): ProvedIdentity[] {
  if (address === null) return [];
  const issuer = `${EOA_ISSUER}:${chainId}`;
  return [
    { kind: 'WALLET', issuer, subject: address, address, chainId, email: null, emailVerified: false, phone: null },
  ];
}

/** An e-mail profile without an address, or a telephone's without a number, is an account elsewhere like the others. */
function identityOf({ type, id, ...said }: ThirdwebProfile['profiles'][number]): ProvedIdentity {
  const named = KINDS[type];
  const kind = named && said[named] !== null ? (named === 'email' ? 'EMAIL' : 'PHONE') : 'SOCIAL';
  return { kind, issuer: `thirdweb:${type}`, subject: id, address: null, chainId: null, ...said };
}
