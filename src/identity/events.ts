import type { NewEvent } from '../events/commands/appendEvent.ts';
import type { WalletKind } from './model.ts';

/** A person came for the first time; told in the organization that was made for them. */
export function userSignedUp(fact: {
  readonly userId: string;
  readonly organizationId: string;
  readonly address: string;
}): NewEvent {
  return {
    type: 'user.signed-up',
    organizationId: fact.organizationId,
    aggregate: { type: 'user', id: fact.userId, version: 1 },
    actor: `user:${fact.userId}`,
    tags: [`user:${fact.userId}`, `wallet:${fact.address}`],
    data: { address: fact.address },
  };
}

/** A wallet of a user's, in one of the organizations that are told of it. */
interface WalletFact {
  readonly organizationId: string;
  readonly userId: string;
  readonly walletId: string;
  readonly address: string;
}

function ofWallet(type: string, version: number, fact: WalletFact, data: NewEvent['data'] = {}): NewEvent {
  const { organizationId, userId, walletId, address } = fact;
  return {
    type,
    organizationId,
    aggregate: { type: 'wallet', id: walletId, version },
    actor: `user:${userId}`,
    tags: [`user:${userId}`, `wallet:${address}`],
    data: { address, ...data },
  };
}

/** A user who was here before has a further wallet. */
export function walletLinked({ kind, ...fact }: WalletFact & { readonly kind: WalletKind }): NewEvent {
  return ofWallet('wallet.linked', 1, fact, { kind });
}

/** A wallet is no longer its user's, and nobody's. */
export function walletUnlinked({ version, ...fact }: WalletFact & { readonly version: number }): NewEvent {
  return ofWallet('wallet.unlinked', version, fact);
}

/** A user prefers another wallet than before: this one. */
export function primaryWalletChanged({ version, ...fact }: WalletFact & { readonly version: number }): NewEvent {
  return ofWallet('wallet.primary-changed', version, fact);
}
