// Written by codegen.ts from schema.graphql and the documents of tests and examples: `npm run generate`.


/** What each document answers, and what it is asked with. */
export interface Documents {

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

/** The document, typed by the schema; its result is unknown until `npm run generate` has seen it. */
export function graphql<const Text extends string>(text: Text): Typed<Text> {
  return text as unknown as Typed<Text>;
}
