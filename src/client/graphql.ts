import { initGraphQLTada, type ResultOf as ResultOfTada, type VariablesOf as VariablesOfTada } from 'gql.tada';
import type { Introspection } from './generated/introspection.ts';

/** The schema of the API, with each custom scalar as it travels. */
export interface TollhouseSchema {
  introspection: Introspection;
  disableMasking: true;
  scalars: {
    Address: `0x${string}`;
    BigInt: string;
    DateTime: string;
    Decimal: string;
    Hex: `0x${string}`;
    JsonObject: Record<string, unknown>;
    Preferences: Record<string, string | number | boolean>;
  };
}

/**
 * Makes a document that knows what it asks for and what it is answered, by our schema: what it says is checked while it
 * is written. Fragments are handed in beside it: `graphql('query { viewer { user { ...Name } } }', [Name])`.
 */
export const graphql: initGraphQLTada<TollhouseSchema> = /* @__PURE__ */ initGraphQLTada<TollhouseSchema>();

/** What a document is answered. */
export type ResultOf<Document> = ResultOfTada<Document>;

/** What a document is asked with. */
export type VariablesOf<Document> = VariablesOfTada<Document>;
