import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type { Context } from '../context.ts';
import { encodeGlobalId } from '../kernel/ids.ts';
import type PrismaTypes from './generated/pothos.ts';
import { getDatamodel } from './generated/pothos.ts';
import { loadedFields } from './loadedFields.ts';
import { separateDeeds } from './separateDeeds.ts';

/** What each scalar is in code, once read (`Input`) and before it is written (`Output`). */
export type Scalars = {
  ID: { Input: string; Output: string };
  Address: { Input: string; Output: string };
  BigInt: { Input: bigint; Output: bigint | { toFixed(): string } };
  DateTime: { Input: Date; Output: Date };
  Decimal: { Input: string; Output: string };
  Hex: { Input: `0x${string}`; Output: string };
  JsonObject: { Input: Readonly<Record<string, unknown>>; Output: unknown };
  Preferences: { Input: Readonly<Record<string, unknown>>; Output: unknown };
};

/** The one builder. It defines no type of any domain; a domain's `schema.ts` adds its own to it. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultFieldNullability: false;
  DefaultNodeNullability: false;
  PrismaTypes: PrismaTypes;
  Scalars: Scalars;
}>({
  defaultFieldNullability: false,
  plugins: [separateDeeds, RelayPlugin, loadedFields, PrismaPlugin],
  prisma: {
    client: (context) => context.scope.db as never,
    dmmf: getDatamodel(),
    onUnusedQuery: null,
  },
  relay: {
    clientMutationId: 'omit',
    encodeGlobalID: (type, id) => encodeGlobalId(type, String(id)),
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    cursorType: 'String',
    nodeTypeOptions: { description: 'Whatever can be asked for again by its global id.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its connection.' },
    hasNextPageFieldOptions: { description: 'Whether more follows this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether something stands before this page.' },
    startCursorFieldOptions: { description: 'The cursor of the first edge; null on an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last edge, for `after`; null on an empty page.' },
    pageInfoFieldOptions: { description: 'Where this page stands.' },
    edgesFieldOptions: { nullable: { list: false, items: false }, description: 'One edge a row, in order.' },
    nodeFieldOptions: { nullable: false, description: 'The row itself.' },
    cursorFieldOptions: { description: 'Where this edge stands; an opaque text, good after the row is gone.' },
    idFieldOptions: { description: 'Global id, for `node` and `nodes`.' },
    firstArgOptions: { description: 'How many at most, from the front: 1 to 100.' },
    lastArgOptions: { description: 'How many at most, from the back: 1 to 100.' },
    afterArgOptions: { description: 'Only what follows the edge of this cursor.' },
    beforeArgOptions: { description: 'Only what stands before the edge of this cursor.' },
  },
});

builder.queryType({ description: 'What can be read.' });
builder.subscriptionType({
  description: 'What can be watched, as server-sent events. What ends a stream is its last event.',
});
builder.mutationType({
  description: 'What can be done. Each failure carries a code, see docs/errors.md; the field that failed is null.',
});
