import { resolveNodes } from '@pothos/plugin-relay';
import { type GraphQLResolveInfo, isObjectType } from 'graphql';
import type { Context } from '../context.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { decodeGlobalId } from '../kernel/ids.ts';
import { builder } from './builder.ts';

const MAX_IDS = 100;

/** The key of a tenant's row: its organization is the viewer's, never the id's. */
export function inTenant(
  id: string,
  { viewer }: Context,
): { organizationId_id: { organizationId: string; id: string } } {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  return { organizationId_id: { organizationId: viewer.organizationId, id } };
}

/** An unknown id, another tenant's, a malformed one: each is null, and none is an error. */
async function load(ids: readonly string[], context: Context, info: GraphQLResolveInfo): Promise<unknown[]> {
  if (!context.viewer) return ids.map(() => null);
  const named = ids.map((globalId) => {
    const named = decodeGlobalId(globalId);
    return named && isNodeType(named.type, info) ? { typename: named.type, id: named.id } : null;
  });
  return Promise.all(await resolveNodes(builder, context, info, named));
}

function isNodeType(name: string, { schema }: GraphQLResolveInfo): boolean {
  const type = schema.getType(name);
  return isObjectType(type) && type.getInterfaces().some((implemented) => implemented.name === 'Node');
}

builder.queryFields((t) => ({
  node: t.field({
    description: 'What a global id names, if the viewer may see it; else null, whatever the reason.',
    type: builder.nodeInterfaceRef(),
    nullable: true,
    args: { id: t.arg.id({ required: true, description: 'A global id.' }) },
    resolve: async (_, { id }, context, info) => (await load([id], context, info))[0] as never,
  }),
  nodes: t.field({
    description: 'What each global id names, in order; null for each that the viewer may not see.',
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    args: { ids: t.arg.idList({ required: true, description: 'At most 100 global ids.' }) },
    resolve: (_, { ids }, context, info) => {
      if (ids.length > MAX_IDS) {
        throw kernelErrors.BAD_USER_INPUT({ argument: 'ids', expected: `at most ${MAX_IDS}`, actual: ids.length });
      }
      return load(ids, context, info) as never;
    },
  }),
}));
