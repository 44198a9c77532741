import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { ViewerRef } from './viewer.ts';
import { WalletRef } from './wallets.ts';

/** What proves a user. */
export const IdentityKind = builder.enumType('IdentityKind', {
  description: 'What proves a user.',
  values: {
    WALLET: { description: 'A blockchain account; the one kind that signs in by itself.' },
    EMAIL: { description: 'An e-mail address.' },
    PHONE: { description: 'A telephone number.' },
    SOCIAL: { description: 'An account elsewhere, such as at Google or Discord.' },
  } as const,
});

/** One proof of being a user, as its own user sees it. */
export const IdentityRef = builder.prismaNode('Identity', {
  variant: 'Identity',
  nullable: true,
  description: 'One proof of being a user: a wallet, an e-mail address, a telephone number, an account elsewhere.',
  select: { id: true, kind: true },
  id: { resolve: ({ id }) => id },
  findUnique: (id) => ({ id }),
  fields: (t) => ({
    kind: t.expose('kind', { type: IdentityKind, description: 'What it is.' }),
    issuer: t.exposeString('issuer', {
      description:
        'Who vouches for it: `eip155` and the chain for wallets, `email` for us, `thirdweb:google` and such.',
    }),
    subject: t.exposeString('subject', {
      description: 'The name that it has there; unique with the issuer, and what it is found by.',
    }),
    email: t.exposeString('email', {
      nullable: true,
      description: 'The e-mail address that it says it has; nobody is found by it.',
    }),
    emailVerified: t.exposeBoolean('emailVerified', {
      description: 'Whether the issuer says that the address was proved.',
    }),
    phone: t.exposeString('phone', { nullable: true, description: 'The telephone number, in the form of E.164.' }),
    wallet: t.variant(WalletRef, {
      description: 'The same as a wallet; null for what is none.',
      isNull: ({ kind }) => kind !== 'WALLET',
    }),
    linkedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it became its user’s.' }),
  }),
});

const IdentityConnection = builder.connectionObject(
  { type: IdentityRef, name: 'IdentityConnection', description: 'A page of identities.' },
  { name: 'IdentityEdge', description: 'One identity of a page.' },
);

builder.prismaObjectField(ViewerRef, 'identities', (t) =>
  t.connection(
    {
      type: IdentityRef,
      description: 'All that proves the viewer, the newest first.',
      args: { kind: t.arg({ type: IdentityKind, description: 'Only this kind.' }) },
      select: ({ kind, ...page }, _context, nestedSelection) => {
        const query = pageQuery(page);
        const identities = {
          ...query,
          where: { AND: [...query.where.AND, ...(kind == null ? [] : [{ kind }])] },
          ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object),
        };
        return { user: { select: { identities } } };
      },
      resolve: ({ user }, page) => pageOf(user.identities as never, page) as never,
    },
    IdentityConnection,
  ),
);
