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

/** A user has a further wallet. */
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

/** An identity of a user's that is no wallet, in one of the organizations that are told of it; never how it is called. */
interface IdentityFact {
  readonly organizationId: string;
  readonly userId: string;
  readonly identityId: string;
  readonly kind: string;
  readonly issuer: string;
}

function ofIdentity(type: string, version: number, fact: IdentityFact): NewEvent {
  const { organizationId, userId, identityId, kind, issuer } = fact;
  return {
    type,
    organizationId,
    aggregate: { type: 'identity', id: identityId, version },
    actor: `user:${userId}`,
    tags: [`user:${userId}`, `identity:${identityId}`],
    data: { kind, issuer },
  };
}

/** A user has proved an e-mail address, or something else that is no wallet. */
export function identityLinked(fact: IdentityFact): NewEvent {
  return ofIdentity('identity.linked', 1, fact);
}

/** Something else than a wallet is no longer its user's. */
export function identityUnlinked({ version, ...fact }: IdentityFact & { readonly version: number }): NewEvent {
  return ofIdentity('identity.unlinked', version, fact);
}

/** A user has proved something, a wallet or not: the fact for what it is. */
export function accountLinked({
  account: { id, kind, issuer, subject },
  ...told
}: {
  readonly organizationId: string;
  readonly userId: string;
  readonly account: { readonly id: string; readonly kind: string; readonly issuer: string; readonly subject: string };
}): NewEvent {
  return kind === 'WALLET'
    ? walletLinked({ ...told, walletId: id, address: subject, kind: issuer.includes(':') ? 'CONTRACT' : 'EOA' })
    : identityLinked({ ...told, identityId: id, kind, issuer });
}
