import { hexToBigInt, isAddressEqual, recoverMessageAddress, slice } from 'viem';
import type { WalletVerifier } from '../../ports.ts';

/** Half the order of secp256k1: a signature with a larger `s` is the mirror image of another one. */
const MAX_LOW_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Checks signatures of externally owned accounts, here and without a network: 65 bytes, low `s` only. */
export const ownedAccountVerifier: WalletVerifier = {
  async verify({ address, message, signature }) {
    if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) return false;
    const bytes = signature as `0x${string}`;
    if (hexToBigInt(slice(bytes, 32, 64)) > MAX_LOW_S) return false;
    try {
      return isAddressEqual(await recoverMessageAddress({ message, signature: bytes }), address as `0x${string}`);
    } catch {
      return false;
    }
  },
};
