// Types every graphql(`…`) document of the tests and examples from schema.graphql: the client preset, without its CLI.
// At run time a document stays the string it is, so a stale file can mislead the compiler but never a test.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import {
  buildSchema,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  type NameNode,
  parse,
  validate,
  visit,
} from 'graphql';
import ts from 'typescript';

const target = 'test/support/generated/documents.ts';

const hex = `\`0x\${string}\``;

/** Each custom scalar as it travels, strict in what we read and wide in what we send; a missing one fails the run. */
const scalars = {
  ID: 'string',
  Address: { input: 'string', output: hex },
  BigInt: 'string',
  DateTime: 'string',
  Decimal: 'string',
  Hex: { input: 'string', output: hex },
};

interface Source {
  readonly file: string;
  readonly text: string;
}

interface Named {
  /** As the operation is called here: two documents may both say `query Viewer`, their types may not. */
  readonly name: string;
  /** What the preset appends to the name: `Query`, `Mutation` or `Subscription`. */
  readonly kind: string;
  readonly text: string;
  readonly document: DocumentNode;
}

/** The text of every graphql(`…`) call in the file; none where `graphql` is another one, such as the client's. */
function sourcesOf(file: string): Source[] {
  const found: Source[] = [];
  const code = readFileSync(file, 'utf8');
  if (!code.includes('generated/documents.ts')) return found;
  const look = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'graphql') {
      const [argument] = node.arguments;
      if (argument && ts.isTemplateExpression(argument)) {
        throw new Error(`${file}: a graphql document holds no \${…}; give it a variable, or write the fragment out`);
      }
      if (argument && ts.isNoSubstitutionTemplateLiteral(argument)) found.push({ file, text: argument.text });
    }
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, code, ts.ScriptTarget.Latest));
  return found;
}

function capitalize(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase());
}

/** Parses a document, holds it to the schema, and gives its operation and fragments names that no other has. */
function readDocument({ file, text }: Source, schema: GraphQLSchema, taken: Set<string>): Named {
  const written = parse(text);
  const faults = validate(schema, written);
  if (faults.length > 0) throw new Error(`${file}: ${faults.map((fault) => fault.message).join('\n  ')}\n${text}`);
  const operations = written.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (!operation || operations.length > 1) throw new Error(`${file}: a document holds one operation\n${text}`);
  const wanted = capitalize(operation.name?.value ?? 'Unnamed');
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) name = `${wanted}${count}`;
  taken.add(name);
  const named = (value: string): NameNode => ({ kind: Kind.NAME, value });
  const document = visit(written, {
    OperationDefinition: (node) => ({ ...node, name: named(name) }),
    FragmentDefinition: (node) => ({ ...node, name: named(`${name}_${node.name.value}`) }),
    FragmentSpread: (node) => ({ ...node, name: named(`${name}_${node.name.value}`) }),
  });
  return { name, kind: capitalize(operation.operation), text, document };
}

/** The types of all documents, as the preset writes them. */
async function typesOf(documents: readonly Named[], schemaAst: GraphQLSchema, sdl: string): Promise<string> {
  if (documents.length === 0) return '';
  const sections = await preset.buildGeneratesSection({
    baseOutputDir: `${dirname(target)}/`,
    schema: parse(sdl),
    schemaAst,
    documents: documents.map(({ name, text, document }) => ({ location: name, document, rawSDL: text })),
    config: {
      scalars,
      strictScalars: true,
      enumType: 'string-literal',
      immutableTypes: true,
      namingConvention: 'keep',
    },
    plugins: [],
    pluginMap: {},
    presetConfig: { fragmentMasking: false },
  });
  const section = sections.find(({ filename }) => filename.endsWith('/graphql.ts'));
  if (!section) throw new Error('The client preset no longer writes graphql.ts.');
  const plugins = section.plugins.filter((plugin) => !('typed-document-node' in plugin || 'add' in plugin));
  return codegen({ ...section, plugins });
}

const sdl = readFileSync('schema.graphql', 'utf8');
const schema = buildSchema(sdl);
const files = ['test', 'examples']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !/\/(generated|node_modules)\//.test(file))
  .sort();
const unique = new Map(files.flatMap(sourcesOf).map((source) => [source.text, source]));
const taken = new Set<string>();
const documents = [...unique.values()].map((source) => readDocument(source, schema, taken));

const text = `// Written by codegen.ts from schema.graphql and the documents of tests and examples: \`npm run generate\`.

${await typesOf(documents, schema, sdl)}
/** What each document answers, and what it is asked with. */
export interface Documents {
${documents
  .map(({ name, kind, text: key }) => `  ${JSON.stringify(key)}: [${name}${kind}, ${name}${kind}Variables];`)
  .join('\n')}
}

/** A GraphQL document that remembers its types. */
export type TypedDocument<Result, Variables> = string & { readonly __apiType?: (variables: Variables) => Result };

/** What a document answers. */
export type ResultOf<Document> = Document extends TypedDocument<infer Result, infer _> ? Result : never;

/** What a document is asked with. */
export type VariablesOf<Document> = Document extends TypedDocument<infer _, infer Variables> ? Variables : never;

type Typed<Text extends string> = Text extends keyof Documents
  ? TypedDocument<Documents[Text][0], Documents[Text][1]>
  : TypedDocument<unknown, Record<string, unknown>>;

/** The document, typed by the schema; its result is unknown until \`npm run generate\` has seen it. */
export function graphql<const Text extends string>(text: Text): Typed<Text> {
  return text as unknown as Typed<Text>;
}
`;
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, text);
console.log(`${documents.length} documents of ${files.length} files → ${target}`);
