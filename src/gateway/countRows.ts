import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

/** What a connection shows when it is not told how much, and at most; `nodes` takes as many ids. */
const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 100;
/** What is taken for the length of a list that has no pages: accepts, transactions, wallets, chains, assets. */
const PLAIN_LIST = 10;

type Variables = Readonly<Record<string, unknown>>;

/**
 * How many rows an operation may ask for: pages inside pages multiply, what stands side by side adds up. It is asked
 * before the document is validated and its variables are coerced, so what does not fit the schema counts as nothing,
 * and what cannot be read as a size counts as the largest.
 */
export function countRows(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const given = { ...defaultsOf(operation), ...variables };
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  // Each fragment is counted once, however often it is named, so that nested fragments cost no time.
  const known = new Map<string, number>();

  function countFragment(name: string): number {
    const rows = known.get(name);
    if (rows !== undefined) return rows;
    known.set(name, 0);
    const fragment = fragments.get(name);
    if (fragment) known.set(name, count(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value)));
    return known.get(name) ?? 0;
  }

  function count({ selections }: SelectionSetNode, type: GraphQLNamedType | undefined): number {
    let total = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) total += countFragment(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const { typeCondition, selectionSet } = selection;
        total += count(selectionSet, typeCondition ? schema.getType(typeCondition.name.value) : type);
      } else total += countField(selection, type);
    }
    return total;
  }

  function countField(node: FieldNode, parent: GraphQLNamedType | undefined): number {
    const field = fieldOf(parent, node.name.value);
    if (!field || !node.selectionSet) return 0;
    const inner = count(node.selectionSet, getNamedType(field.type));
    const rows = rowsOf(field, node, parent?.name ?? '', given);
    return rows === null ? inner : rows * (1 + inner);
  }

  return count(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
}

function fieldOf(type: GraphQLNamedType | undefined, name: string): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

/** How many rows the field itself asks for; null when it leads to one thing, or to what was counted already. */
function rowsOf(
  { name, type }: GraphQLField<unknown, unknown>,
  { arguments: args = [] }: FieldNode,
  parent: string,
  given: Variables,
): number | null {
  if (getNamedType(type).name.endsWith('Connection')) return pageSize(args, given);
  if (!isRowList(type) || parent.endsWith('Connection')) return null;
  return parent === 'Query' && name === 'nodes' ? idCount(args, given) : PLAIN_LIST;
}

function isRowList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type)) && !isLeafType(getNamedType(type));
}

function pageSize(args: readonly ArgumentNode[], given: Variables): number {
  const asked = args
    .filter(({ name: { value } }) => value === 'first' || value === 'last')
    .map(({ value }) => readValue(value, given))
    .filter((value) => value !== null && value !== undefined);
  return asked.length === 0 ? DEFAULT_PAGE : Math.max(...asked.map(sizeOf));
}

function idCount(args: readonly ArgumentNode[], given: Variables): number {
  const ids = args.find(({ name }) => name.value === 'ids');
  const value = ids && readValue(ids.value, given);
  return sizeOf(Array.isArray(value) ? value.length : value);
}

function sizeOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? Math.min(Math.max(value, 1), LARGEST_PAGE) : LARGEST_PAGE;
}

/** A literal or a variable's raw value, as far as sizes need it. */
function readValue(node: ValueNode, given: Variables): unknown {
  if (node.kind === Kind.VARIABLE) return Object.hasOwn(given, node.name.value) ? given[node.name.value] : undefined;
  if (node.kind === Kind.INT) return Number(node.value);
  if (node.kind === Kind.NULL) return null;
  return node.kind === Kind.LIST ? node.values : node;
}

function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Variables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue ? [[variable.name.value, readValue(defaultValue, {})] as const] : [],
    ),
  );
}
