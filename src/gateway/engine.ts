import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Context } from '../context.ts';
import { databaseErrors } from '../database/errors.ts';
import { graphqlErrors } from '../graphql/errors.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { isKey } from '../kernel/viewer.ts';
import { countRows } from './countRows.ts';
import { createDocumentCache } from './documentCache.ts';
import { checkOperations, type DocumentLimits, hold, measureText } from './limits.ts';
import type { GraphqlParams } from './readRequest.ts';

/** A context with what the engine must know of the request besides. */
export interface Visit extends Context {
  /** Whether the answer may be a stream of events. */
  readonly acceptsEvents: boolean;
  /** Whether the request may change anything: not by GET, which proxies and browsers repeat as they like. */
  readonly mayMutate: boolean;
  /** Whether the request came with cookies that prove nobody. */
  readonly stale: boolean;
  /** Is told which operation it is as soon as that is known. */
  readonly announce: (operation: { readonly name: string | null; readonly mutates: boolean }) => void;
}

/** What an operation comes to; its errors are as they were thrown, for the one door to show. */
export type Outcome = ExecutionResult | AsyncIterable<ExecutionResult>;

/** Runs what a request asks for. */
export type Engine = (params: GraphqlParams, visit: Visit) => Promise<Outcome>;

const CACHED_BYTES = 32 * 1024 * 1024;
const MAX_VALIDATION_ERRORS = 10;

/** Yoga, without its doors: HTTP is read before it and errors are shown behind it, so it parses, validates and runs. */
export function createEngine(schema: GraphQLSchema, limits: DocumentLimits): Engine {
  const yoga = createYoga<Visit>({
    schema,
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    maskedErrors: false,
    multipart: false,
    parserAndValidationCache: {
      documentCache: createDocumentCache(CACHED_BYTES),
      // Whoever sends what does not parse may wait for it each time.
      errorCache: { get: () => undefined, set: () => undefined },
    },
    plugins: [useLimits(limits), useOperation(schema, limits), useShortValidation()],
  });
  // What Yoga would read from an HTTP request it is given as it is; this one only says where.
  const request = new yoga.fetchAPI.Request('http://gateway/graphql', { method: 'POST' });
  return async (params, visit) => (await yoga.getResultForParams({ params, request }, visit)) ?? {};
}

type EnginePlugin = Plugin<Visit, Visit>;

/** Parses nothing that is beyond the limits; a document that is in Yoga's cache has passed them. */
function useLimits(limits: DocumentLimits): EnginePlugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source, options) => {
        const text = typeof source === 'string' ? source : source.body;
        measureText(text, limits);
        const document = parse(source, options);
        checkOperations(document, limits);
        return document;
      });
    },
  };
}

/** Runs nothing that this request may not ask for. */
function useOperation(schema: GraphQLSchema, limits: DocumentLimits): EnginePlugin {
  return {
    onParse({ context }) {
      return ({ result }) => {
        if (!isDocument(result)) return;
        const { operationName, variables } = context.params;
        const operation = findOperation(result, operationName);
        checkOperation(schema, operation, context);
        // Here and not beside the other limits: a document is kept, and its variables come with each request.
        hold('rows', countRows(schema, result, operation, variables ?? {}), limits.rows);
      };
    },
  };
}

function findOperation(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, name);
  if (operation) return operation;
  const fault = name ? 'the document has no operation of this name' : 'the document needs an operationName';
  throw kernelErrors.BAD_REQUEST({ fault });
}

function checkOperation(schema: GraphQLSchema, operation: OperationDefinitionNode, visit: Visit): void {
  const mutates = operation.operation === OperationTypeNode.MUTATION;
  visit.announce({ name: operation.name?.value ?? null, mutates });
  // Validation lets it pass, and running it fails as if that were our fault.
  if (!schema.getRootType(operation.operation)) {
    throw kernelErrors.GRAPHQL_VALIDATION_FAILED({ fault: `the schema has no ${operation.operation}` });
  }
  if (mutates && !visit.mayMutate) {
    throw graphqlErrors.METHOD_NOT_ALLOWED({ allow: ['POST'] });
  }
  if (visit.stale && !(mutates && consistsOf(operation, OF_SESSIONS))) throw kernelErrors.UNAUTHENTICATED();
  if (isKey(visit.viewer) && mutates && !consistsOf(operation, OF_KEYS)) throw kernelErrors.NEEDS_A_PERSON();
  if (visit.viewer?.impersonates && operation.operation !== OperationTypeNode.QUERY) {
    throw databaseErrors.IMPERSONATION_READ_ONLY();
  }
  if (operation.operation === OperationTypeNode.SUBSCRIPTION && !visit.acceptsEvents) {
    throw graphqlErrors.NOT_ACCEPTABLE({ needed: 'text/event-stream' });
  }
}

/** What can be done without a session, to begin one, go on with one or end it. */
const OF_SESSIONS = /^(createSignInChallenge|signInWith\w+|refreshSession|signOut|__typename)$/;

/** What an API key may change, if its scopes let it; whatever is not here is for people. */
const OF_KEYS = /^(createPaymentLink|createPaymentOrder|__typename)$/;

/** Whether an operation does nothing else, as far as can be seen without spreading its fragments out. */
function consistsOf({ selectionSet: { selections } }: OperationDefinitionNode, fields: RegExp): boolean {
  return selections.every((selection) => selection.kind === Kind.FIELD && fields.test(selection.name.value));
}

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === Kind.DOCUMENT;
}

/** Ten faults of a document are enough to mend it by. */
function useShortValidation(): EnginePlugin {
  return {
    onValidate({ setValidationFn }) {
      setValidationFn((schema: GraphQLSchema, document: DocumentNode, rules = specifiedRules) =>
        validate(schema, document, rules, { maxErrors: MAX_VALIDATION_ERRORS }),
      );
    },
  };
}
