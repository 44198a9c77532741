import { isErc6492Signature, parseErc6492Signature } from 'viem';
import type { WalletVerifier } from '../../ports.ts';
import { identityErrors } from '../errors.ts';
import { createAccountAsker, type NodesOfChain } from './contractWallets.ts';
import { recoverSigner } from './recoverSigner.ts';

type Hex = `0x${string}`;
type Claim = Parameters<WalletVerifier['verify']>[0];

/**
 * Checks signatures. One of the account's own key is recovered here, without a network; whatever else comes is put to
 * the account on the message's chain, by one call of one of that chain's nodes.
 * @param options.chains the nodes; on a chain without one, accounts of their own key alone are checked
 * @param options.factories those that may deploy a wallet inside the check (ERC-6492), in lower case; all when absent
 */
export function createWalletVerifier(options: {
  readonly chains: readonly NodesOfChain[];
  readonly factories?: readonly string[] | undefined;
}): WalletVerifier {
  const { chains, factories } = options;
  const askers = new Map(chains.map((chain) => [chain.chainId, createAccountAsker(chain)]));
  return {
    async verify(claim) {
      if (isOfOwnKey(claim)) return { kind: 'EOA', factory: null };
      const { address, chainId, message } = claim;
      const ask = askers.get(chainId);
      if (!ask) throw identityErrors.SIGNATURE_CHECK_UNSUPPORTED({ chainId });
      const unwrapped = unwrap(claim.signature.toLowerCase() as Hex);
      if (!unwrapped) return null;
      const { signature, deployment } = unwrapped;
      const allowed = deployment && (!factories || factories.includes(deployment.factory)) ? deployment : null;
      const { verdict, factory } = await ask({ address: address as Hex, message, signature, deployment: allowed });
      if (verdict === 'YES') return { kind: 'CONTRACT', factory: factory ?? deployment?.factory ?? null };
      // Whoever holds the key of an account that has delegated speaks for it; its delegate, which it may change, does not.
      const delegated = verdict === 'DELEGATED' && isOfOwnKey({ ...claim, signature });
      return delegated ? { kind: 'EOA_7702', factory: null } : null;
    },
  };
}

/** Whether the signature is of the account's own key. */
function isOfOwnKey({ address, message, signature }: Claim): boolean {
  return recoverSigner(message, signature) === address.toLowerCase();
}

interface Unwrapped {
  readonly signature: Hex;
  /** How a wallet that is not there yet would come to be, when the signature says so. */
  readonly deployment: { readonly factory: Hex; readonly call: Hex } | null;
}

/** What is inside a signature of ERC-6492, and any other as it is; null when the wrapping is torn. */
function unwrap(wrapped: Hex): Unwrapped | null {
  if (!isErc6492Signature(wrapped)) return { signature: wrapped, deployment: null };
  try {
    const { address, data, signature } = parseErc6492Signature(wrapped);
    const deployment = address && data ? { factory: address.toLowerCase() as Hex, call: data } : null;
    return { signature, deployment };
  } catch {
    return null;
  }
}
