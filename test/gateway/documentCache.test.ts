import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentCache } from '../../src/gateway/documentCache.ts';

const BUDGET = 1_000_000;

it('gives back the document that was parsed from the same text', () => {
  const cache = createDocumentCache(BUDGET);
  const document = parse('{ hello }');
  cache.set('{ hello }', document);
  expect(cache.get('{ hello }')).toBe(document);
  expect(cache.get('{ hello  }')).toBeUndefined();
});

it('forgets what was not used for longest, as soon as all together are too large', () => {
  const cache = createDocumentCache(BUDGET);
  const wide = (index: number): string => `{ ${'a '.repeat(500)} b${index} }`;
  for (let index = 0; index < 10; index++) {
    cache.set(wide(index), parse(wide(index)));
    cache.get(wide(0));
  }
  const kept = Array.from({ length: 10 }, (_, index) => index).filter((index) => cache.get(wide(index)));
  expect(kept).toContain(0);
  expect(kept).toContain(9);
  expect(kept.length).toBeLessThan(5);
});

it('does not take a document that would push out all others', () => {
  const cache = createDocumentCache(BUDGET);
  cache.set('{ hello }', parse('{ hello }'));
  const huge = `{ ${'#\n'.repeat(3_000)} hello }`;
  cache.set(huge, parse(huge));
  expect(cache.get(huge)).toBeUndefined();
  expect(cache.get('{ hello }')).toBeDefined();
});
