import { type DocumentNode, type ExecutionResult, parse, separateOperations } from 'graphql';
import { createTollhouseClient, type TollhouseClient, TollhouseError } from '../client/tollhouseClient.ts';

/** What GraphiQL asks with. */
export interface Asked {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

/** What stands in the editor of headers. */
type Headers = Readonly<Record<string, string>>;

type Answer = Pick<ExecutionResult, 'data'> & { readonly errors?: readonly object[] };

/** Asks a gateway for GraphiQL. */
export type Fetcher = (
  asked: Asked,
  options?: { headers?: Headers },
) => Promise<Answer | AsyncIterableIterator<Answer>>;

/** Headers that say who asks; with one of them it is not whoever is signed in. */
const CREDENTIALS = ['authorization', 'x-api-key'];

/** Asks as whoever is signed in, unless the headers say otherwise; and answers what the gateway did. */
export function createFetcher(url: string, account: TollhouseClient): Fetcher {
  return async (asked, { headers = {} } = {}) => {
    const given = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
    const isOther = CREDENTIALS.some((name) => given.has(name));
    const client = isOther ? createTollhouseClient({ url, headers }) : account;
    const document = readOperation(asked);
    // What is no operation is the gateway's to refuse.
    if (!document) return askPlainly(url, asked, headers);
    const variables = asked.variables ?? {};
    const kind = document.definitions.find((one) => one.kind === 'OperationDefinition')?.operation;
    if (kind === 'subscription') return showStream(client.subscribe(document, variables));
    const idempotencyKey = given.get('idempotency-key');
    const asking =
      kind === 'mutation'
        ? client.mutate(document, variables, idempotencyKey === undefined ? {} : { idempotencyKey })
        : client.query(document, variables);
    return asking.then((data) => ({ data }) as Answer, showFailure);
  };
}

/** The operation that is asked for, with the fragments that it uses; null when the text has none such. */
function readOperation({ query, operationName }: Asked): DocumentNode | null {
  try {
    const document = parse(query);
    const operations = document.definitions.filter(({ kind }) => kind === 'OperationDefinition');
    return operations.length === 1 ? document : (separateOperations(document)[operationName ?? ''] ?? null);
  } catch {
    return null;
  }
}

async function askPlainly(url: string, asked: Asked, headers: Headers): Promise<Answer> {
  const sent = new Headers(headers);
  sent.set('content-type', 'application/json');
  sent.set('accept', 'application/json');
  const response = await fetch(url, { method: 'POST', headers: sent, body: JSON.stringify(asked) });
  return response.json();
}

/** The same answers, and what ends them as the last one. */
function showStream(source: AsyncIterableIterator<unknown>): AsyncIterableIterator<Answer> {
  const done = { done: true, value: undefined } as const;
  let over = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (over) return done;
      try {
        const step = await source.next();
        return step.done ? done : { done: false, value: { data: step.value } as Answer };
      } catch (error) {
        over = true;
        return { done: false, value: showFailure(error) };
      }
    },
    async return() {
      over = true;
      await source.return?.();
      return done;
    },
  };
}

/** A failure as the gateway has told it; one of the client's own in the same shape. */
function showFailure(error: unknown): Answer {
  if (!(error instanceof TollhouseError)) throw error;
  const { errors, data, message, code, remedy } = error;
  if (errors.length === 0) return { errors: [{ message, extensions: { code, remedy } }] };
  return { errors, ...(data !== null && { data: data as Record<string, unknown> }) };
}
