import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql';
import { encodeGlobalId } from '../kernel/ids.ts';

declare global {
  namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      loadedFields: LoadedFieldsPlugin<Types>;
    }
  }
}

type Resolver = GraphQLFieldResolver<unknown, object>;

/** The columns that a field needs of its row, and of rows that its row points at. */
interface Needs {
  readonly [name: string]: true | Needs;
}

/**
 * Resolves a field from its row at once when the row has the columns that the field needs.
 *
 * Pothos otherwise looks up, for each field of each row, by which query its path was loaded: a text and two weak maps
 * a field, a third of the time of a page of links with their orders. A column has one value, whoever asked for it; so
 * its being there is proof enough. Fields of pages and lists have arguments, and go on being looked up.
 */
class LoadedFieldsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(lookUp: Resolver, field: PothosOutputFieldConfig<Types>): Resolver {
    if (field.name === 'id' && this.#isNode(field.parentType)) return globalIdOf(field.parentType, lookUp);
    const needs = needsOf(field.extensions?.pothosPrismaSelect);
    if (!needs || Object.keys(field.args).length > 0) return lookUp;
    const resolve = (field.resolve ?? defaultFieldResolver) as Resolver;
    return (row, args, context, info) => (isLoaded(row, needs) ? resolve : lookUp)(row, args, context, info);
  }

  #isNode(type: string): boolean {
    const { interfaces = [] } = this.buildCache.getTypeConfig(type) as { interfaces?: readonly unknown[] };
    return interfaces.includes(this.builder.nodeInterfaceRef());
  }
}

/**
 * A node's id is its type's name and its row's own id. Pothos makes it behind two promises, and what is above a promise
 * becomes one too: every row, and every list of rows.
 */
function globalIdOf(type: string, lookUp: Resolver): Resolver {
  return (row, args, context, info) => {
    const { id } = row as { id?: unknown };
    return typeof id === 'string' ? encodeGlobalId(type, id) : lookUp(row, args, context, info);
  };
}

/** What a selection names, if it names nothing but columns and single rows. */
function needsOf(select: unknown): Needs | null {
  if (typeof select !== 'object' || select === null) return null;
  const needs: Record<string, true | Needs> = {};
  for (const [name, wanted] of Object.entries(select)) {
    const inner = wanted === true || needsOf((wanted as { select?: unknown }).select);
    if (!inner || (inner !== true && Object.keys(wanted as object).length > 1)) return null;
    needs[name] = inner;
  }
  return needs;
}

function isLoaded(row: unknown, needs: Needs): boolean {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return false;
  for (const name in needs) {
    const value = (row as Record<string, unknown>)[name];
    const inner = needs[name];
    if (value === undefined || (inner !== true && value !== null && !isLoaded(value, inner as Needs))) return false;
  }
  return true;
}

SchemaBuilder.registerPlugin('loadedFields', LoadedFieldsPlugin);

/** Goes directly in front of Pothos's Prisma plugin, so that whatever stands before it is asked first. */
export const loadedFields = 'loadedFields';
