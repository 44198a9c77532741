// Prints the schema that the gateway serves into schema.graphql, the contract that reviewers and clients read; a type
// or a field that nobody described is refused.
import { writeFileSync } from 'node:fs';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { schema } from '../src/gateway/schema.ts';

const target = 'schema.graphql';

/** The coordinates of whatever the type, or a member of it, leaves without a description. */
function undescribed(type: GraphQLNamedType): string[] {
  const members = isEnumType(type)
    ? type.getValues()
    : isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)
      ? Object.values(type.getFields())
      : [];
  const silent = members.filter((member) => !member.description).map((member) => `${type.name}.${member.name}`);
  return type.description ? silent : [type.name, ...silent];
}

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);
const silent = types.flatMap(undescribed);
if (silent.length > 0) throw new Error(`Describe what a client reads: ${silent.join(', ')}`);

writeFileSync(target, `${printSchema(lexicographicSortSchema(schema))}\n`);
console.log(`${types.length} types → ${target}`);
