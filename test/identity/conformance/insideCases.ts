import { getAddress, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Case } from './cases.ts';
import type { Gateway } from './gateway.ts';
import { writeText } from './text.ts';

/** A chain and a node that are in the hands of whoever asks; nobody has those of a gateway elsewhere. */
export interface Grounds {
  /** Deploys a contract wallet that this account owns. */
  deploy(owner: Hex): Promise<Hex>;
  /** Gives such a contract wallet another owner. */
  handOver(contract: Hex, owner: Hex): Promise<unknown>;
  /** Takes the node away from the gateway, or gives it back. */
  setNode(there: boolean): void;
}

/** A case that the address of a gateway is not enough for. */
export interface InsideCase extends Pick<Case, 'about' | 'name' | 'expected'> {
  /** What it needs, which nobody can give from outside. */
  readonly needs: string;
  readonly run: (gateway: Gateway, grounds: Grounds) => Promise<string>;
}

interface Signed {
  readonly message: string;
  readonly signature: Hex;
  readonly contract: Hex;
  readonly owner: Hex;
}

/** A text of a contract wallet, signed by its owner. */
async function signedByContract(gateway: Gateway, grounds: Grounds): Promise<Signed> {
  const owner = privateKeyToAccount(generatePrivateKey());
  const contract = await grounds.deploy(owner.address);
  const { nonce } = await gateway.challenge();
  const message = writeText({ ...gateway.terms(), address: getAddress(contract), nonce });
  return { message, signature: await owner.signMessage({ message }), contract, owner: owner.address };
}

/** Hands in while the node is away. */
async function withoutNode(
  gateway: Gateway,
  grounds: Grounds,
  { message, signature }: Pick<Signed, 'message' | 'signature'>,
): Promise<string> {
  grounds.setNode(false);
  return gateway.signIn(message, signature).finally(() => grounds.setNode(true));
}

async function signOwn(gateway: Gateway): Promise<Pick<Signed, 'message' | 'signature'>> {
  const { nonce } = await gateway.challenge();
  const wallet = privateKeyToAccount(generatePrivateKey());
  const message = writeText({ ...gateway.terms(), address: wallet.address, nonce });
  return { message, signature: await wallet.signMessage({ message }) };
}

async function refreshAfter(
  gateway: Gateway,
  grounds: Grounds,
  then: (signed: Signed) => Promise<unknown> | undefined,
): Promise<string> {
  const signed = await signedByContract(gateway, grounds);
  const { code, refreshToken } = await gateway.enter(signed.message, signed.signature);
  if (code !== 'OK') return code;
  await then(signed);
  return gateway.refresh(refreshToken);
}

const NODE = 'a node that can be taken away from the gateway';
const OWNER = 'a contract wallet on the gateway’s chain, whose owner is changed';

/** What could not be checked, and what no longer holds; what is permitted stands first. */
export const INSIDE_CASES: readonly InsideCase[] = [
  {
    about: 'SIGNATURE_CHECK_UNAVAILABLE',
    name: 'a contract wallet, the node there',
    expected: 'OK',
    needs: NODE,
    run: async (gateway, grounds) => {
      const { message, signature } = await signedByContract(gateway, grounds);
      return gateway.signIn(message, signature);
    },
  },
  {
    about: 'SIGNATURE_CHECK_UNAVAILABLE',
    name: 'an account of its own key, the node away',
    expected: 'OK',
    needs: NODE,
    run: async (gateway, grounds) => withoutNode(gateway, grounds, await signOwn(gateway)),
  },
  {
    about: 'SIGNATURE_CHECK_UNAVAILABLE',
    name: 'the same text again, the node back',
    expected: 'OK',
    needs: NODE,
    run: async (gateway, grounds) => {
      const signed = await signedByContract(gateway, grounds);
      await withoutNode(gateway, grounds, signed);
      return gateway.signIn(signed.message, signed.signature);
    },
  },
  {
    about: 'SIGNATURE_CHECK_UNAVAILABLE',
    name: 'a contract wallet, the node away',
    expected: 'SIGNATURE_CHECK_UNAVAILABLE',
    needs: NODE,
    run: async (gateway, grounds) => withoutNode(gateway, grounds, await signedByContract(gateway, grounds)),
  },
  {
    about: 'SIGNER_NO_LONGER_VALID',
    name: 'a refresh, the owner the same',
    expected: 'OK',
    needs: OWNER,
    run: (gateway, grounds) => refreshAfter(gateway, grounds, () => undefined),
  },
  {
    about: 'SIGNER_NO_LONGER_VALID',
    name: 'a refresh, the owner changed',
    expected: 'SIGNER_NO_LONGER_VALID',
    needs: OWNER,
    run: (gateway, grounds) =>
      refreshAfter(gateway, grounds, ({ contract, owner }) => grounds.handOver(contract, owner)),
  },
];
