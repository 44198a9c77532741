import { type DocumentNode, print } from 'graphql';

/**
 * A document that remembers its types: of `graphql()`, or any `TypedDocumentNode`. One without types will do, too; its
 * result is unknown then.
 */
export interface TypedDocument<Result, Variables> {
  readonly kind: string;
  readonly definitions: readonly unknown[];
  readonly __apiType?: (variables: Variables) => Result;
}

/** What a mutation has done: a field of it is null only where it failed, and that is thrown. */
export type Done<Result> = { [Field in keyof Result]: NonNullable<Result[Field]> };

/** What must be known of a document to send it, and to send it again. */
export interface Operation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly name: string | undefined;
  readonly text: string;
  /** The root fields by their names in the schema; null when some are spread from a fragment, and so not seen. */
  readonly fields: readonly string[] | null;
  readonly variables: ReadonlySet<string>;
}

const known = new WeakMap<object, Operation>();

/** Reads a document of one operation, once. */
export function readDocument(document: TypedDocument<unknown, never>): Operation {
  const seen = known.get(document);
  if (seen) return seen;
  const { definitions } = document as DocumentNode;
  const operations = definitions.filter((definition) => definition.kind === 'OperationDefinition');
  const [operation] = operations;
  if (!operation || operations.length > 1) throw new TypeError('A document holds exactly one operation.');
  const selections = operation.selectionSet.selections.map((one) => (one.kind === 'Field' ? one.name.value : null));
  const read: Operation = {
    kind: operation.operation,
    name: operation.name?.value,
    text: print(document as DocumentNode),
    fields: selections.includes(null) ? null : (selections as string[]),
    variables: new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value)),
  };
  known.set(document, read);
  return read;
}
