import { builder } from '../../graphql/builder.ts';

const WalletKind = builder.enumType('WalletKind', {
  description: 'What stands behind a wallet’s address.',
  values: {
    EOA: { description: 'An externally owned account: a key pair, the same on every chain.' },
    CONTRACT: { description: 'A contract, on one chain.' },
    EOA_7702: { description: 'An externally owned account that has delegated to code (EIP-7702).' },
  } as const,
});

const WalletSource = builder.enumType('WalletSource', {
  description: 'Where a wallet comes from.',
  values: {
    EXTERNAL: { description: 'The person’s own.' },
    THIRDWEB_IN_APP: { description: 'Made by thirdweb inside an application.' },
    THIRDWEB_SMART: { description: 'A smart account of thirdweb’s.' },
  } as const,
});

/** A wallet as its own user sees it. */
export const WalletRef = builder.prismaNode('Identity', {
  variant: 'Wallet',
  nullable: true,
  description:
    'A blockchain account that its user has proved to control: by a signature, or, of thirdweb’s in-app wallets and ' +
    'their smart accounts, by thirdweb’s word. Only one’s own are seen.',
  select: { id: true },
  id: { resolve: ({ id }) => id },
  findUnique: (id) => ({ id }),
  fields: (t) => ({
    address: t.field({
      type: 'Address',
      description: 'The account’s address.',
      select: { address: true },
      resolve: ({ address }) => address ?? '',
    }),
    kind: t.expose('walletKind', { type: WalletKind, nullable: true, description: 'What stands behind the address.' }),
    source: t.expose('walletSource', { type: WalletSource, nullable: true, description: 'Where it comes from.' }),
    chainId: t.int({
      nullable: true,
      description:
        'The chain that a contract is on; null for an account of its own key, which is the same on every one.',
      select: { chainId: true },
      resolve: ({ chainId }) => (chainId === null ? null : Number(chainId)),
    }),
    primary: t.exposeBoolean('isPrimary', {
      description: 'Whether it is the one that its user prefers; every user with a wallet prefers one.',
    }),
    linkedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it became its user’s.' }),
    provedAt: t.expose('provedAt', {
      type: 'DateTime',
      description: 'When its user first proved it: by signing, or by a token of thirdweb’s that vouched for it.',
    }),
  }),
});

builder.prismaObjectField(WalletRef, 'controlledBy', (t) =>
  t.relation('controlledBy', {
    type: WalletRef,
    nullable: true,
    description: 'The user’s wallet that this one, a contract, obeys; null when none is known to.',
  }),
);
