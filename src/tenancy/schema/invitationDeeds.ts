import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { acceptInvitation } from '../commands/acceptInvitation.ts';
import { inviteMember } from '../commands/inviteMember.ts';
import { revokeInvitation } from '../commands/revokeInvitation.ts';
import type { TakenInvitation } from '../commands/takeInvitation.ts';
import { InvitationRef } from './invitations.ts';
import { MembershipRef, MembershipRole } from './organizations.ts';
import { roleIn } from './roles.ts';

const InviteMemberInput = builder.inputType('InviteMemberInput', {
  description: 'Who is to be invited: either `email`, or `address` and perhaps `chainId`.',
  fields: (t) => ({
    email: t.string({ description: 'The e-mail address that the invitation is sent to, such as alice@example.org.' }),
    address: t.field({ type: 'Address', description: 'The wallet that may accept the invitation.' }),
    chainId: t.int({ description: 'The chain of a wallet that is a contract; absent for others.' }),
    role: t.field({
      type: MembershipRole,
      description: 'What they will be; no role that may do what the viewer may not. Either this or `roleId`.',
    }),
    roleId: t.id({ description: 'The custom role that they will have, by its global id.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RevokeInvitationInput = builder.inputType('RevokeInvitationInput', {
  description: 'The invitation to take back.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The invitation’s global id.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const AcceptInvitationInput = builder.inputType('AcceptInvitationInput', {
  description: 'The invitation to accept: either `token` or `id`.',
  fields: (t) => ({
    token: t.string({ description: 'The token that was sent by mail.' }),
    id: t.id({ description: 'The global id of one that `viewer.invitations` lists.' }),
  }),
});

type FindInvitation = Parameters<Context['scope']['db']['invitation']['findUniqueOrThrow']>[0];
type FindMembership = Parameters<Context['scope']['db']['membership']['findUniqueOrThrow']>[0];

/** An invitation that was just made or changed, for one mutation. */
function invitationPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly invitationId: string }>>(name).implement({
    description,
    fields: (t) => ({
      invitation: t.prismaField({
        type: InvitationRef,
        description: 'The invitation.',
        resolve: (query, { invitationId }, _args, context) =>
          context.scope.db.invitation.findUniqueOrThrow({
            ...query,
            where: inTenant(invitationId, context),
          } as FindInvitation),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

const AcceptInvitationPayload = builder.objectRef<TakenInvitation>('AcceptInvitationPayload').implement({
  description: 'An organization that the viewer is a member of from now on; `switchOrganization` goes there.',
  fields: (t) => ({
    membership: t.prismaField({
      type: MembershipRef,
      description: 'The viewer’s place in it.',
      resolve: (query, { organizationId, membershipId }, _args, { scope }) =>
        scope.db.membership.findUniqueOrThrow({
          ...(query as object),
          where: { organizationId_id: { organizationId, id: membershipId } },
        } as FindMembership),
    }),
  }),
});

/** What names no invitation is answered as one that there is not. */
function readId(globalId: string): string | null {
  const named = decodeGlobalId(globalId);
  return named?.type === 'Invitation' ? named.id : null;
}

builder.mutationFields((t) => ({
  inviteMember: t.field({
    type: invitationPayload('InviteMemberPayload', 'An invitation that is on its way.'),
    description:
      'Invites a wallet, or whoever reads an e-mail address, to become a member. Limited per organization and per whoever is invited. Needs the permission `members:write`.',
    args: { input: t.arg({ type: InviteMemberInput, required: true, description: 'Who, and to what.' }) },
    resolve: (_root, { input }, context, info) =>
      inviteMember(context, {
        ...input,
        roleId: input.roleId == null ? null : roleIn(input.roleId),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  revokeInvitation: t.field({
    type: invitationPayload('RevokeInvitationPayload', 'An invitation that is good no more.'),
    description:
      'Takes back an invitation that nobody has accepted. Doing it twice is doing it once. Needs the permission `members:write`.',
    args: { input: t.arg({ type: RevokeInvitationInput, required: true, description: 'The invitation.' }) },
    resolve: (_root, { input }, context, info) =>
      revokeInvitation(context, {
        id: readId(input.id),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  acceptInvitation: t.field({
    type: AcceptInvitationPayload,
    description:
      'Makes the viewer a member of the organization that invites them: by the token of a mail, or to a wallet of theirs. It is good once; the session stays where it works.',
    args: { input: t.arg({ type: AcceptInvitationInput, required: true, description: 'The invitation.' }) },
    resolve: (_root, { input: { token, id } }, context) =>
      acceptInvitation(context, { token: token ?? null, invitation: id == null ? null : { id: readId(id) } }),
  }),
}));
