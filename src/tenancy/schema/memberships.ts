import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { createOrganization } from '../commands/createOrganization.ts';
import { leaveOrganization } from '../commands/leaveOrganization.ts';
import { listMembers } from '../commands/listMembers.ts';
import { removeMember } from '../commands/removeMember.ts';
import { updateMembership } from '../commands/updateMembership.ts';
import { MembershipRef, MembershipRole, OrganizationRef } from './organizations.ts';
import { roleIn } from './roles.ts';

const MembershipStatus = builder.enumType('MembershipStatus', {
  description: 'What has become of a membership; only an active one counts.',
  values: {
    INVITED: { description: 'It has not begun.' },
    ACTIVE: { description: 'The user is a member.' },
    LEFT: { description: 'The user has left, was merged or deleted.' },
    REMOVED: { description: 'Somebody else has ended it.' },
  } as const,
});

builder.prismaObjectFields(MembershipRef, (t) => ({
  user: t.field({
    type: UserRef,
    description: 'Whose it is; of a merged user’s, whoever that one has become.',
    select: (_args, _context, nestedSelection) => ({ user: withSurvivor(nestedSelection()) }),
    resolve: ({ user }) => survivorOf(user),
  }),
  status: t.expose('status', { type: MembershipStatus, description: 'Whether it counts.' }),
  jobTitle: t.exposeString('jobTitle', { nullable: true, description: 'What the user does there.' }),
  department: t.exposeString('department', { nullable: true, description: 'Where in it the user works.' }),
  createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  leftAt: t.expose('leftAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
}));

const MembershipFilter = builder.inputType('MembershipFilter', {
  description: 'Which memberships are wanted: those that all of it is true of.',
  fields: (t) => ({
    status: t.field({ type: MembershipStatus, description: 'With this status.' }),
    role: t.field({ type: MembershipRole, description: 'With this role; whoever has a custom one is a MEMBER.' }),
    roleId: t.id({ description: 'With this custom role, by its global id.' }),
    name: t.string({ description: 'Of users who have this in their name, whatever its case.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Made then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Made before.' }),
  }),
});

const MembershipOrderField = builder.enumType('MembershipOrderField', {
  description: 'What memberships can be ordered by.',
  values: {
    NAME: { description: 'The user’s name, whatever its case.' },
    CREATED: { description: 'When it was made.' },
    JOINED: { description: 'When the user joined; when it was made, as long as they have not.' },
  } as const,
});

/** Which end of an order comes first. */
export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which end of an order comes first.',
  values: { ASC: { description: 'The lowest first.' }, DESC: { description: 'The highest first.' } } as const,
});

const MembershipOrder = builder.inputType('MembershipOrder', {
  description: 'In which order memberships are listed.',
  fields: (t) => ({
    field: t.field({ type: MembershipOrderField, required: true, description: 'By what.' }),
    direction: t.field({ type: OrderDirection, required: true, description: 'Which end comes first.' }),
  }),
});

const MembershipConnection = builder.connectionObject(
  { type: MembershipRef, name: 'MembershipConnection', description: 'A page of memberships.' },
  { name: 'MembershipEdge', description: 'One membership of a page.' },
);

type FindMembers = Parameters<Context['scope']['db']['membership']['findMany']>[0];

builder.prismaObjectField(OrganizationRef, 'memberships', (t) =>
  t.connection(
    {
      type: MembershipRef,
      description:
        'Who is and was a member, the newest first. Without the permission `members:read` one’s own membership alone.',
      args: {
        filter: t.arg({ type: MembershipFilter, description: 'Which ones; all when absent.' }),
        orderBy: t.arg({
          type: MembershipOrder,
          description: 'In which order; a cursor is good in its own order alone.',
        }),
      },
      resolve: ({ id: organizationId }, { filter, orderBy, ...page }, context, info) => {
        const query: object = queryFromInfo({ context, info, typeName: 'Membership', path: ['edges', 'node'] });
        return listMembers(context, {
          organizationId,
          filter: { ...filter, roleId: filter?.roleId == null ? null : roleIn(filter.roleId) },
          order: orderBy ?? { field: 'CREATED', direction: 'DESC' },
          page,
          load: (ids) =>
            context.scope.db.membership.findMany({
              ...query,
              where: { organizationId, id: { in: [...ids] } },
            } as FindMembers),
        }) as never;
      },
    },
    MembershipConnection,
  ),
);

const UpdateMembershipInput = builder.inputType('UpdateMembershipInput', {
  description: 'What is to change of a member: what is absent stays as it is, and null takes it away.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The membership’s global id.' }),
    role: t.field({
      type: MembershipRole,
      description: 'What the member may do from now on; never null. It takes a custom role away.',
    }),
    roleId: t.id({
      description:
        'The custom role that says what the member may do from now on, by its global id; beside no other role than MEMBER.',
    }),
    jobTitle: t.string({ description: 'What they do there; at most 100 characters.' }),
    department: t.string({ description: 'Where in it they work; at most 100 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RemoveMemberInput = builder.inputType('RemoveMemberInput', {
  description: 'The member to remove.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The membership’s global id.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindMember = Parameters<Context['scope']['db']['membership']['findUniqueOrThrow']>[0];

/** A membership that was just changed, for one mutation. */
function membershipPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly membershipId: string }>>(name).implement({
    description,
    fields: (t) => ({
      membership: t.prismaField({
        type: MembershipRef,
        description: 'The membership.',
        resolve: (query, { membershipId }, _args, context) =>
          context.scope.db.membership.findUniqueOrThrow({
            ...query,
            where: inTenant(membershipId, context),
          } as FindMember),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

const LeaveOrganizationPayload = builder
  .objectRef<{ readonly organizationId: string }>('LeaveOrganizationPayload')
  .implement({
    description: 'The viewer is a member no more; `switchOrganization` or a new session goes on elsewhere.',
    fields: (t) => ({
      organizationId: t.id({
        description: 'The global id of the organization that was left.',
        resolve: ({ organizationId }) => encodeGlobalId('Organization', organizationId),
      }),
    }),
  });

const CreateOrganizationInput = builder.inputType('CreateOrganizationInput', {
  description: 'An organization to be made.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'How it is called; 1 to 100 characters.' }),
    slug: t.string({
      description: 'Its name in addresses, as of `updateOrganization`; ten random digits when absent.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindOrganization = Parameters<Context['scope']['db']['organization']['findUniqueOrThrow']>[0];
type FoundOrganization = Awaited<ReturnType<Context['scope']['db']['organization']['findUniqueOrThrow']>>;

const CreateOrganizationPayload = builder
  .objectRef<Done<{ readonly organization: FoundOrganization }>>('CreateOrganizationPayload')
  .implement({
    description: 'An organization that the viewer owns.',
    fields: (t) => ({
      organization: t.field({
        type: OrganizationRef,
        description: 'The organization.',
        resolve: ({ organization }) => organization as never,
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

/** What names no membership is answered as one that the organization has not. */
function readId(globalId: string): string | null {
  const named = decodeGlobalId(globalId);
  return named?.type === 'Membership' ? named.id : null;
}

builder.mutationFields((t) => ({
  updateMembership: t.field({
    type: membershipPayload('UpdateMembershipPayload', 'A member who was just changed.'),
    description:
      'Changes a member’s role, job title or department; no role that may do what the viewer may not. Needs the permission `members:write`.',
    args: { input: t.arg({ type: UpdateMembershipInput, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, context, info) =>
      updateMembership(context, {
        ...input,
        id: readId(input.id),
        ...(input.roleId !== undefined && { roleId: input.roleId === null ? null : roleIn(input.roleId) }),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  removeMember: t.field({
    type: membershipPayload('RemoveMemberPayload', 'Somebody who is a member no more.'),
    description: 'Ends somebody else’s membership at once. Needs the permission `members:write`.',
    args: { input: t.arg({ type: RemoveMemberInput, required: true, description: 'The member.' }) },
    resolve: (_root, { input }, context, info) =>
      removeMember(context, {
        id: readId(input.id),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  leaveOrganization: t.field({
    type: LeaveOrganizationPayload,
    description: 'Ends the viewer’s own membership of the organization that the session works in.',
    resolve: (_root, _args, context) => leaveOrganization(context),
  }),
  createOrganization: t.field({
    type: CreateOrganizationPayload,
    description: 'Makes a further organization, which the viewer owns. The session stays where it works.',
    args: { input: t.arg({ type: CreateOrganizationInput, required: true, description: 'The organization.' }) },
    resolve: (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'Organization', path: ['organization'] });
      return createOrganization(context, {
        ...input,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
        read: (tx, id) =>
          tx.organization.findUniqueOrThrow({ ...query, where: { id } } as FindOrganization) as Deed<FoundOrganization>,
      });
    },
  }),
}));
