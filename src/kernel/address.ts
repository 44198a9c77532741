import { getAddress, isAddress } from 'viem';

/** A blockchain address as it is stored: `0x` and forty hexadecimal digits in lower case. */
export type StoredAddress = `0x${string}`;

/** The address as it is stored, or null when the text is not one (a mixed-case one must carry its EIP-55 checksum). */
export function storeAddress(text: string): StoredAddress | null {
  return isAddress(text) ? (text.toLowerCase() as StoredAddress) : null;
}

/** The address as people read it, with its EIP-55 checksum. */
export function showAddress(address: string): string {
  return getAddress(address);
}
