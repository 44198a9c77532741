import { getIntrospectionQuery, parse } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkOperations } from '../../src/gateway/limits.ts';
import { codesOf, type OpenHouse, openHouse, query } from './openHouse.ts';

let house: OpenHouse;
let shallow: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
  shallow = await openHouse({ environment: { LIMIT_DOCUMENT_DEPTH: '3' } });
});
afterAll(() => Promise.all([house.close(), shallow.close()]));

const everything = getIntrospectionQuery({
  specifiedByUrl: true,
  inputValueDeprecation: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  oneOf: true,
});

it('answers the query that tools introspect with, within the usual limits and within shallower ones', async () => {
  for (const { gateway } of [house, shallow]) {
    const { status, text } = await query(gateway.port, everything, { operationName: 'IntrospectionQuery' });
    expect(status).toBe(200);
    expect(JSON.parse(text).data.__schema.types.length).toBeGreaterThan(10);
  }
});

it('lets introspection go deeper than other fields without letting them along', async () => {
  const below = '{ nest { nest { nest { text } } } }';
  expect(codesOf(await query(shallow.gateway.port, below))).toEqual(['DOCUMENT_TOO_LARGE']);
  const beside = `{ __schema { queryType { fields { type { ofType { name } } } } } ...rest } fragment rest on Query ${below}`;
  expect(codesOf(await query(shallow.gateway.port, beside))).toEqual(['DOCUMENT_TOO_LARGE']);
  const renamed = '{ __schema: nest { nest { nest { text } } } }';
  expect(codesOf(await query(shallow.gateway.port, renamed))).toEqual(['DOCUMENT_TOO_LARGE']);
});

it('measures a hundred fragments inside one another, each named twice, without spreading them out', () => {
  const chain = Array.from({ length: 99 }, (_, i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`).join(' ');
  const document = parse(`{ ...f0 } ${chain} fragment f99 on Query { hello }`);
  expect(() => checkOperations(document, { tokens: 5_000, depth: 15, aliases: 50, rows: 10_000 })).toThrow(
    expect.objectContaining({ facts: { limit: 'fields', most: 5_000, actual: 2 ** 99 } }),
  );
});
