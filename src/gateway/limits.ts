import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  Lexer,
  type OperationDefinitionNode,
  type SelectionSetNode,
  Source,
  TokenKind,
} from 'graphql';
import { kernelErrors } from '../kernel/errors.ts';
import { faultOfText } from './readJson.ts';

/** What a document may be at most. */
export interface DocumentLimits {
  /** Words and signs of the text; also fields of an operation once its fragments are spread out. */
  readonly tokens: number;
  readonly depth: number;
  /** Aliases of an operation; also its directives. */
  readonly aliases: number;
  /** Rows that an operation may ask for, pages inside pages multiplied. */
  readonly rows: number;
}

/** Brackets inside brackets that parsing, which recurses, never comes near the end of its stack with. */
const DEEPEST_NESTING = 100;
/**
 * The depth of the query that tools introspect with; nothing but the schema itself can be reached that way. It is
 * answered in production too: the schema is no secret, and stands in schema.graphql for everybody to read.
 */
const INTROSPECTION_DEPTH = 15;
/** Each costs a signature check, and the limit of sign-ins counts requests. */
const ONCE_IN_A_REQUEST = /^signInWith/;

/** Validation compares each fragment with each other one. */
const MOST_FRAGMENTS = 100;

const OPENING = new Set<string>([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING = new Set<string>([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
const TEXTS = new Set<string>([TokenKind.STRING, TokenKind.BLOCK_STRING]);

/**
 * Holds the text of a document against the limits before it is parsed.
 * @returns the number of its tokens
 * @throws DOCUMENT_TOO_LARGE, BAD_USER_INPUT, or the syntax error of graphql-js
 */
export function measureText(text: string, limits: DocumentLimits): number {
  const lexer = new Lexer(new Source(text));
  let nesting = 0;
  for (let tokens = 0; ; tokens++) {
    const { kind, value, line, column } = lexer.advance();
    if (kind === TokenKind.EOF) return tokens;
    if (tokens >= limits.tokens) throw kernelErrors.DOCUMENT_TOO_LARGE({ limit: 'tokens', most: limits.tokens });
    if (OPENING.has(kind) && ++nesting > DEEPEST_NESTING) {
      throw kernelErrors.DOCUMENT_TOO_LARGE({ limit: 'nesting', most: DEEPEST_NESTING });
    }
    if (CLOSING.has(kind)) nesting--;
    const fault = TEXTS.has(kind) ? faultOfText(value) : null;
    if (fault) throw kernelErrors.BAD_USER_INPUT({ fault, line, column });
  }
}

/** What an operation amounts to once its fragments are spread out wherever they are named. */
interface Size {
  readonly depth: number;
  readonly introspection: number;
  readonly fields: number;
  readonly aliases: number;
  readonly directives: number;
  readonly signIns: number;
}

const NOTHING: Size = { depth: 0, introspection: 0, fields: 0, aliases: 0, directives: 0, signIns: 0 };

/**
 * Holds every operation of a document against the limits.
 * @throws DOCUMENT_TOO_LARGE
 */
export function checkOperations(document: DocumentNode, limits: DocumentLimits): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  hold('fragments', fragments.size, MOST_FRAGMENTS);
  const measure = measurer(fragments);
  for (const { directives = [], selectionSet } of operations) {
    const size = plus(measure(selectionSet), { ...NOTHING, directives: directives.length });
    const { depth, tokens, aliases } = limits;
    hold('depth', size.depth, depth);
    hold('depth of introspection', size.introspection, Math.max(depth, INTROSPECTION_DEPTH));
    hold('fields', size.fields, tokens);
    hold('aliases', size.aliases, aliases);
    hold('directives', size.directives, aliases);
    hold('sign-ins', size.signIns, 1);
  }
}

/** @throws DOCUMENT_TOO_LARGE with the limit's name, what it lets pass and what came */
export function hold(limit: string, actual: number, most: number): void {
  if (actual > most) throw kernelErrors.DOCUMENT_TOO_LARGE({ limit, most, actual });
}

/** Measures selections; each fragment once, however often it is named, so that nested fragments cost no time. */
function measurer(fragments: ReadonlyMap<string, FragmentDefinitionNode>): (selections: SelectionSetNode) => Size {
  const known = new Map<string, Size>();

  function measureFragment(name: string): Size {
    const size = known.get(name);
    if (size) return size;
    const fragment = fragments.get(name);
    // A fragment inside itself counts as nothing here: validation refuses the document.
    known.set(name, NOTHING);
    if (fragment) known.set(name, plus(measure(fragment.selectionSet), marks(fragment)));
    return known.get(name) ?? NOTHING;
  }

  function measure({ selections }: SelectionSetNode): Size {
    let total = NOTHING;
    for (const selection of selections) {
      total = plus(total, marks(selection));
      if (selection.kind === Kind.FRAGMENT_SPREAD) total = plus(total, measureFragment(selection.name.value));
      else if (selection.kind === Kind.INLINE_FRAGMENT) total = plus(total, measure(selection.selectionSet));
      else
        total = plus(total, fieldOf(selection.name.value, selection.selectionSet && measure(selection.selectionSet)));
    }
    return total;
  }

  return measure;
}

function fieldOf(name: string, inner: Size = NOTHING): Size {
  const deep = 1 + inner.depth;
  const introspects = name === '__schema' || name === '__type';
  return {
    ...inner,
    depth: introspects ? 1 : deep,
    introspection: introspects ? deep : inner.introspection,
    fields: 1 + inner.fields,
    signIns: inner.signIns + (ONCE_IN_A_REQUEST.test(name) ? 1 : 0),
  };
}

function marks(node: { readonly alias?: unknown; readonly directives?: readonly unknown[] | undefined }): Size {
  return { ...NOTHING, aliases: node.alias ? 1 : 0, directives: node.directives?.length ?? 0 };
}

/** Two sizes side by side: depths do not add up, everything else does. */
function plus(one: Size, other: Size): Size {
  return {
    depth: Math.max(one.depth, other.depth),
    introspection: Math.max(one.introspection, other.introspection),
    fields: one.fields + other.fields,
    aliases: one.aliases + other.aliases,
    directives: one.directives + other.directives,
    signIns: one.signIns + other.signIns,
  };
}
