import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** What counts or switches, and so names no row. */
const NAMELESS = ['Int', 'Float', 'Boolean'];

/** The schema as it is printed, whose freshness is held elsewhere. */
export function readSchema(): GraphQLSchema {
  return buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
}

/** Every place where a client can write a text, as `Type.field.argument.inputField`. */
export function textArguments(schema: GraphQLSchema): string[] {
  const places: string[] = [];
  const walk = (path: string, type: GraphQLInputType, above: readonly string[]): void => {
    const named = getNamedType(type);
    if (isInputObjectType(named)) {
      if (above.includes(named.name)) return;
      for (const field of Object.values(named.getFields())) {
        walk(`${path}.${field.name}`, field.type, [...above, named.name]);
      }
    } else if (!isEnumType(named) && !NAMELESS.includes(named.name)) {
      places.push(path);
    }
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      for (const argument of field.args) walk(`${type.name}.${field.name}.${argument.name}`, argument.type, []);
    }
  }
  return places.sort();
}

/** The types that can be asked for by a global id. */
export function nodeTypes(schema: GraphQLSchema): string[] {
  const node = schema.getType('Node');
  if (!isInterfaceType(node)) throw new Error('The schema has no interface Node.');
  return schema
    .getPossibleTypes(node)
    .map(({ name }) => name)
    .sort();
}
