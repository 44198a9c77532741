import secp256k1 from 'secp256k1';
import { bytesToHex, keccak256 } from 'viem';

/** Half the order of secp256k1, big-endian: a signature with a larger `s` is the mirror image of another one. */
const MAX_LOW_S = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex');

const SIGNATURE = /^0x[0-9a-fA-F]{130}$/;

/** What the last byte of a signature may be, and the recovery id that it means. */
const RECOVERY_IDS: Readonly<Record<number, 0 | 1>> = { 0: 0, 1: 1, 27: 0, 28: 1 };

/**
 * The account, in lower case, whose key signed the text by `personal_sign` (EIP-191); null when the signature is not 65
 * bytes with a low `s` and a recovery id of 0, 1, 27 or 28, or is of no key at all. Checked by libsecp256k1, which takes
 * a twentieth of the time that JavaScript takes; where no binary of it fits the machine, by JavaScript.
 */
export function recoverSigner(message: string, signature: string): string | null {
  if (!SIGNATURE.test(signature)) return null;
  const bytes = Buffer.from(signature.slice(2), 'hex');
  const recoveryId = RECOVERY_IDS[bytes[64] as number];
  if (recoveryId === undefined || bytes.compare(MAX_LOW_S, 0, 32, 32, 64) > 0) return null;
  const text = Buffer.from(message);
  const signed = Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${text.length}`), text]);
  try {
    const key = secp256k1.ecdsaRecover(bytes.subarray(0, 64), recoveryId, keccak256(signed, 'bytes'), false);
    return bytesToHex(keccak256(key.subarray(1), 'bytes').subarray(12));
  } catch {
    return null;
  }
}
