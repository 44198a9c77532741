import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import { UserRef, ViewerRef } from '../../identity/schema/viewer.ts';
import { encodeGlobalId } from '../../kernel/ids.ts';
import type { InvitationStatus as Become } from '../commands/invitationStatus.ts';
import { listOwnInvitations, type OwnInvitation } from '../commands/listOwnInvitations.ts';
import { readInvitationStatus } from '../commands/readInvitationStatus.ts';
import { MembershipRef, MembershipRole } from './organizations.ts';

/** What has become of an invitation. */
export const InvitationStatus = builder.enumType('InvitationStatus', {
  description: 'What has become of an invitation.',
  values: {
    PENDING: { description: 'It waits to be accepted.' },
    ACCEPTED: { description: 'Somebody has become a member by it.' },
    REVOKED: { description: 'It was taken back.' },
    EXPIRED: { description: 'Its time is over.' },
  } as const,
});

/** An invitation, as members of the organization see it. */
export const InvitationRef = builder.prismaNode('Invitation', {
  nullable: true,
  description: 'That somebody may become a member: whoever was sent its token by mail, or has a wallet.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    role: t.expose('role', { type: MembershipRole, description: 'What they will be.' }),
    status: t.field({
      type: InvitationStatus,
      description:
        'What has become of it. One that waits cannot be accepted while whoever invited may not give the role any more.',
      select: { acceptedAt: true, revokedAt: true },
      resolve: ({ organizationId, id, acceptedAt, revokedAt, ...listed }, _args, context) => {
        if (acceptedAt) return 'ACCEPTED';
        if (revokedAt) return 'REVOKED';
        // the list has asked for all of its own
        const { status } = listed as { readonly status?: Become };
        return status ?? readInvitationStatus(context, { organizationId, id });
      },
    }),
    email: t.exposeString('email', { nullable: true, description: 'Where its token was sent; null for a wallet.' }),
    address: t.expose('address', {
      type: 'Address',
      nullable: true,
      description: 'The wallet that it is for; null for an e-mail address.',
    }),
    chainId: t.int({
      nullable: true,
      description: 'The chain of a wallet that is a contract; null for others.',
      select: { chainId: true },
      resolve: ({ chainId }) => (chainId === null ? null : Number(chainId)),
    }),
    invitedBy: t.field({
      type: UserRef,
      nullable: true,
      description: 'Who invited.',
      select: (_args, _context, nestedSelection) => ({ invitedBy: { select: { user: nestedSelection() } } }),
      resolve: ({ invitedBy }) => (invitedBy as typeof invitedBy | null)?.user ?? null,
    }),
    acceptedBy: t.field({
      type: UserRef,
      nullable: true,
      description: 'Who has become a member by it.',
      select: (_args, _context, nestedSelection) => ({ acceptedBy: { select: { user: nestedSelection() } } }),
      resolve: ({ acceptedBy }) => acceptedBy?.user ?? null,
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When its time is over.' }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its mail was handed over; null for a wallet, and as long as that is not known.',
    }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true, description: 'When it was accepted.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was taken back.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

builder.prismaObjectField(MembershipRef, 'invitedBy', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'Who invited the user; null for founders, and for whoever may not read members.',
    select: (_args, _context, nestedSelection) => ({ invitedBy: { select: { user: nestedSelection() } } }),
    resolve: ({ invitedBy }) => invitedBy?.user ?? null,
  }),
);

const ReceivedInvitationRef = builder.objectRef<OwnInvitation>('ReceivedInvitation').implement({
  description: 'An invitation, as whoever is invited sees it.',
  fields: (t) => ({
    id: t.id({
      description: 'Its global id, for `acceptInvitation`.',
      resolve: ({ id }) => encodeGlobalId('Invitation', id),
    }),
    organizationName: t.exposeString('organizationName', { description: 'How the organization is called.' }),
    role: t.expose('role', { type: MembershipRole, description: 'What the user would be there.' }),
    customRoleName: t.exposeString('customRoleName', {
      nullable: true,
      description: 'How the custom role is called that the user would have there; null for none.',
    }),
    inviterName: t.exposeString('inviterName', { description: 'How whoever invites is called.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When its time is over.' }),
  }),
});

builder.prismaObjectField(ViewerRef, 'invitations', (t) =>
  t.field({
    type: [ReceivedInvitationRef],
    description:
      'The invitations to the user’s wallets that can be accepted now, the newest first: a hundred at most. Those by mail are known by their token alone.',
    resolve: (_viewer, _args, context) => listOwnInvitations(context),
  }),
);
