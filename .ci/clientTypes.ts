// Writes what src/client knows of the API from schema.graphql: its types, and which mutations an idempotency key guards.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { preprocessIntrospection } from 'gql.tada/internal';
import { buildSchema, type GraphQLSchema, getNamedType, introspectionFromSchema, isInputObjectType } from 'graphql';

const target = 'src/client/generated';

/** The mutations with an input that takes a key; the header does the same for exactly these. */
function guardedBy(schema: GraphQLSchema): string[] {
  return Object.values(schema.getMutationType()?.getFields() ?? {})
    .filter(({ args }) => {
      const type = getNamedType(args.find(({ name }) => name === 'input')?.type);
      return isInputObjectType(type) && 'idempotencyKey' in type.getFields();
    })
    .map(({ name }) => name)
    .sort();
}

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
const guarded = guardedBy(schema);
if (guarded.length === 0) throw new Error('No mutation takes an idempotencyKey: this generator has stopped working.');

const origin = '// Written by .ci/clientTypes.ts from schema.graphql: `npm run generate`.';
mkdirSync(target, { recursive: true });
writeFileSync(
  `${target}/introspection.ts`,
  `${origin}\n\n/** The schema as gql.tada reads it. */\nexport type Introspection = ${preprocessIntrospection(
    introspectionFromSchema(schema, { descriptions: false }),
  )};\n`,
);
writeFileSync(
  `${target}/guardedMutations.ts`,
  `${origin}\n\n/** The mutations that an idempotency key guards: repeated with the same one, they are not done twice. */\nexport const guardedMutations: ReadonlySet<string> = new Set([\n${guarded
    .map((name) => `  '${name}',`)
    .join('\n')}\n]);\n`,
);
console.log(`${guarded.length} guarded mutations and the types of the API → ${target}`);
