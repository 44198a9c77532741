import type { Context } from '../../context.ts';
import type { Membership } from '../../database/generated/client.ts';
import { builder } from '../../graphql/builder.ts';
import { assertPerson, isKey } from '../../kernel/viewer.ts';
import { findSurvivor } from '../commands/findSurvivor.ts';
import { WalletRef } from './wallets.ts';

/** A person, as far as the viewer may see them. */
export const UserRef = builder.prismaNode('User', {
  nullable: true,
  description: 'A person or a service account.',
  select: { id: true },
  id: { resolve: ({ id }) => id },
  // what was said of a user who has become another is found under the other
  findUnique: async (id, context) => ({ id: await findSurvivor(context, id) }),
  fields: (t) => ({
    displayName: t.exposeString('displayName', { description: 'How the user is called.' }),
    avatarUrl: t.exposeString('avatarUrl', { nullable: true, description: 'The address of a picture.' }),
    wallets: t.field({
      type: [WalletRef],
      description: 'The user’s wallets, the first linked first; only one’s own are shown.',
      select: (_args, _context, nestedSelection) => ({
        identities: nestedSelection({ where: { kind: 'WALLET' }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),
      }),
      resolve: ({ identities }) => identities,
    }),
  }),
});

/** Who is asking, in the organization that their session works in. Tenancy adds the organization and the role. */
export const ViewerRef = builder.prismaObject('Membership', {
  variant: 'Viewer',
  description: 'Who is asking: the signed-in user in the session’s active organization.',
  select: { id: true },
  fields: (t) => ({
    user: t.relation('user', { description: 'The signed-in user.' }),
  }),
});

type ViewerQuery = Parameters<Context['scope']['db']['membership']['findUniqueOrThrow']>[0];

/** The viewer as the API shows it. */
export function loadViewer({ scope, viewer }: Context, query: object): Promise<Membership> {
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  return scope.db.membership.findUniqueOrThrow({
    ...query,
    where: { organizationId_userId: { organizationId, userId } },
  } as ViewerQuery);
}

builder.queryField('viewer', (t) =>
  t.prismaField({
    type: ViewerRef,
    nullable: true,
    description:
      'Who is asking; null without a session; for an operator who looks in see `impersonation`, for an API key `apiKey`.',
    // who looks in has no place in the organization
    resolve: (query, _root, _args, context) =>
      context.viewer && !isKey(context.viewer) && !context.viewer.impersonates ? loadViewer(context, query) : null,
  }),
);
