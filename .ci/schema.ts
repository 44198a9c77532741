// Prints the schema that the gateway serves into schema.graphql, the contract that reviewers and clients read.
import { writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../src/gateway/schema.ts';

const target = 'schema.graphql';
writeFileSync(target, `${printSchema(lexicographicSortSchema(schema))}\n`);
console.log(`${Object.keys(schema.getTypeMap()).length} types → ${target}`);
