import type { DocumentNode } from 'graphql';

/** Documents that were parsed lately, by their text. */
export interface DocumentCache {
  get(text: string): DocumentNode | undefined;
  set(text: string, document: DocumentNode): void;
}

/** What a parsed document takes for each of its tokens (measured: 90 to 490 bytes) and each character. */
const BYTES_PER_TOKEN = 500;
const BYTES_PER_CHARACTER = 2;

/**
 * Keeps the documents that were used last.
 * @param maxBytes that all of them take together: as many of a client's own as there are, and few of the largest ones
 * that somebody makes up to fill our memory
 */
export function createDocumentCache(maxBytes: number): DocumentCache {
  const kept = new Map<string, { readonly document: DocumentNode; readonly bytes: number }>();
  let total = 0;
  return {
    get(text) {
      const found = kept.get(text);
      if (!found) return undefined;
      // A map remembers the order of insertion: what was used last stands last.
      kept.delete(text);
      kept.set(text, found);
      return found.document;
    },
    set(text, document) {
      const bytes = text.length * BYTES_PER_CHARACTER + countTokens(document) * BYTES_PER_TOKEN;
      if (kept.has(text) || bytes > maxBytes) return;
      kept.set(text, { document, bytes });
      total += bytes;
      for (const [oldest, { bytes: freed }] of kept) {
        if (total <= maxBytes) return;
        kept.delete(oldest);
        total -= freed;
      }
    },
  };
}

/** Comments too: a document holds on to them. */
function countTokens({ loc }: DocumentNode): number {
  let tokens = 0;
  for (let token = loc?.startToken ?? null; token; token = token.next) tokens++;
  return tokens;
}
