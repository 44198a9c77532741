import { graphqlErrors } from '../graphql/errors.ts';

/** What a client can read. */
export interface Acceptable {
  /** The type of a single result; null when only a stream is accepted. */
  readonly json: 'application/json' | 'application/graphql-response+json' | null;
  readonly events: boolean;
}

const JSON_TYPES: ReadonlyMap<string, Acceptable['json']> = new Map([
  ['*/*', 'application/json'],
  ['application/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
]);
const EVENT_TYPES = ['*/*', 'text/*', 'text/event-stream'];

/**
 * What may be answered, from the Accept header; of two types of JSON the one that is named first.
 * @throws NOT_ACCEPTABLE before anything has been done
 */
export function negotiate(accept: string | undefined): Acceptable {
  const types = (accept || '*/*').split(',').map((part) => part.split(';', 1).join('').trim().toLowerCase());
  const json = types.map((type) => JSON_TYPES.get(type)).find((type) => type !== undefined) ?? null;
  const events = types.some((type) => EVENT_TYPES.includes(type));
  if (!json && !events) throw graphqlErrors.NOT_ACCEPTABLE();
  return { json, events };
}
