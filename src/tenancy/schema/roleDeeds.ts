import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { createRole } from '../commands/createRole.ts';
import { deleteRole } from '../commands/deleteRole.ts';
import { updateRole } from '../commands/updateRole.ts';
import { RoleRef } from './roles.ts';

const CreateRoleInput = builder.inputType('CreateRoleInput', {
  description: 'A custom role to be made.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'How it is called; 1 to 50 characters, none of a built-in role.' }),
    description: t.string({ description: 'What there is to say of it; at most 500 characters.' }),
    permissions: t.stringList({
      required: true,
      description:
        'All that whoever has it may do, such as `payments:read`: none that the viewer may not, and with one to write those to read that docs/permissions.md names beside it.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const UpdateRoleInput = builder.inputType('UpdateRoleInput', {
  description: 'What is to change of a custom role: what is absent stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Its global id.' }),
    name: t.string({ description: 'How it is called; never null.' }),
    description: t.string({ description: 'What there is to say of it; null takes it away.' }),
    permissions: t.stringList({ description: 'All that whoever has it may do; given as a whole, never null.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const DeleteRoleInput = builder.inputType('DeleteRoleInput', {
  description: 'The custom role to delete.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Its global id.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindRole = Parameters<Context['scope']['db']['role']['findUniqueOrThrow']>[0];

type FoundRole = Awaited<ReturnType<Context['scope']['db']['role']['findUniqueOrThrow']>>;

const CreateRolePayload = builder.objectRef<Done<{ readonly role: FoundRole }>>('CreateRolePayload').implement({
  description: 'A custom role that nobody has yet.',
  fields: (t) => ({
    role: t.field({ type: RoleRef, description: 'The role.', resolve: ({ role }) => role as never }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

const UpdateRolePayload = builder.objectRef<Done<{ readonly roleId: string }>>('UpdateRolePayload').implement({
  description: 'A custom role as it is from now on.',
  fields: (t) => ({
    role: t.prismaField({
      type: RoleRef,
      description: 'The role.',
      resolve: (query, { roleId }, _args, context) =>
        context.scope.db.role.findUniqueOrThrow({ ...query, where: inTenant(roleId, context) } as FindRole),
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

const DeleteRolePayload = builder.objectRef<Done<{ readonly roleId: string }>>('DeleteRolePayload').implement({
  description: 'A custom role that the organization has no more.',
  fields: (t) => ({
    roleId: t.id({
      description: 'The global id that it had.',
      resolve: ({ roleId }) => encodeGlobalId('Role', roleId),
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

/** What names no role is answered as one that the organization has not. */
function readRole(
  { id, idempotencyKey }: { readonly id: string; readonly idempotencyKey?: string | null | undefined },
  context: Context,
  info: GraphQLResolveInfo,
): { readonly id: string | null; readonly idempotencyKey: GivenKey | null } {
  const named = decodeGlobalId(id);
  return {
    id: named?.type === 'Role' ? named.id : null,
    idempotencyKey: givenKey(idempotencyKey, context, info),
  };
}

builder.mutationFields((t) => ({
  createRole: t.field({
    type: CreateRolePayload,
    description: 'Makes a custom role; none that may do what the viewer may not. Needs the permission `members:write`.',
    args: { input: t.arg({ type: CreateRoleInput, required: true, description: 'The role.' }) },
    resolve: (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'Role', path: ['role'] });
      return createRole(context, {
        ...input,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
        read: (tx, id) =>
          tx.role.findUniqueOrThrow({ ...query, where: inTenant(id, context) } as FindRole) as Deed<FoundRole>,
      });
    },
  }),
  updateRole: t.field({
    type: UpdateRolePayload,
    description:
      'Changes a custom role: whoever has it may do what it lists from the next statement on. None that may do what the viewer may not, before and after. Needs the permission `members:write`.',
    args: { input: t.arg({ type: UpdateRoleInput, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input: { id, idempotencyKey, ...words } }, context, info) =>
      updateRole(context, { ...words, ...readRole({ id, idempotencyKey }, context, info) }),
  }),
  deleteRole: t.field({
    type: DeleteRolePayload,
    description:
      'Deletes a custom role that nobody has and nobody is invited to. Needs the permission `members:write`.',
    args: { input: t.arg({ type: DeleteRoleInput, required: true, description: 'The role.' }) },
    resolve: (_root, { input }, context, info) => deleteRole(context, readRole(input, context, info)),
  }),
}));
