import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type DocumentNode, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import * as documents from '../../src/checkout/api.ts';

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));

describe('what the checkout page asks', () => {
  it.each(Object.entries(documents))('is known to the schema: %s', (_, document) => {
    expect(validate(schema, document as unknown as DocumentNode).map(({ message }) => message)).toEqual([]);
  });
});
