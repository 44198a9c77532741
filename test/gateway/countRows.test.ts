import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { countRows } from '../../src/gateway/countRows.ts';
import { createEngine, type Visit } from '../../src/gateway/engine.ts';

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));

function rowsOf(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const operation = getOperationAST(document, null);
  if (!operation) throw new Error('The document has no operation.');
  return countRows(schema, document, operation, variables);
}

const links = (args: string, inner: string): string =>
  `{ organization { paymentLinks${args} { edges { node { ${inner} } } } } }`;
const orders = (args: string, inner: string): string => `orders${args} { edges { node { ${inner} } } }`;
const aliased = Array.from({ length: 50 }, (_, i) => `a${i}: ${orders('(first: 100)', 'id')}`).join(' ');
const MULTIPLIED = `{ organization { paymentOrders { edges { node { paymentLink { ${aliased} } } } } } }`;
const DASHBOARD = links('(first: 20)', `createdBy { displayName } ${orders('(first: 5)', 'transactions { hash }')}`);

describe('the rows of an operation', () => {
  it.each([
    ['one thing', '{ organization { name } viewer { user { displayName } } }', 0],
    ['introspection', '{ __schema { types { fields { name } } } }', 0],
    ['a list of words', '{ node(id: "1") { ... on PaymentOrder { exceptions } } }', 0],
    ['a page of no told size', links('', 'id'), 20],
    ['a page from the front', links('(first: 7)', 'id'), 7],
    ['a page from the back', links('(last: 7)', 'id'), 7],
    ['a page of a size that is refused later', links('(first: 5000)', 'id'), 100],
    ['a page of less than nothing', links('(first: -5)', 'id'), 100],
    ['a page inside a page', links('(first: 100)', orders('(first: 20)', 'id')), 2_100],
    ['pages side by side', links('(first: 10)', `a: ${orders('', 'id')} b: ${orders('', 'id')}`), 410],
    ['lists without pages', '{ chains { assets { symbol } } }', 110],
    ['what links accept', links('(first: 3)', 'accepts { asset { symbol } }'), 33],
    ['things by id', '{ nodes(ids: ["1", "2"]) { ... on PaymentOrder { transactions { hash } } } }', 22],
    ['a dashboard', DASHBOARD, 1_120],
    ['pages that multiply', MULTIPLIED, 20 + 20 * 50 * 100],
    ['what no type has', '{ organization { nothing { nothing } } nothing(first: 100) { edges { node } } }', 0],
  ])('are counted: %s', (_, text, rows) => {
    expect(rowsOf(text)).toBe(rows);
  });

  it('are counted through fragments, wherever these are named', () => {
    const text = `${links('(first: 2)', '...f ... on PaymentLink { ...f }')}
      fragment f on PaymentLink { ... { ${orders('(first: 3)', 'id')} } }`;
    expect(rowsOf(text)).toBe(2 * (1 + 3 + 3));
  });

  it('are counted though a fragment names itself', () => {
    expect(rowsOf('{ ...a } fragment a on Query { ...a chains { name } }')).toBe(10);
  });

  const sized = `query($n: Int, $d: Int = 4) ${links('(first: $n)', orders('(last: $d)', 'id'))}`;
  it.each([
    [{ n: 3 }, 3 + 3 * 4],
    [{ n: 3, d: 5 }, 3 + 3 * 5],
    [{ n: 3, d: null }, 3 + 3 * 20],
    [{}, 20 + 20 * 4],
    [{ n: '3' }, 100 + 100 * 4],
    [{ n: 1e9 }, 100 + 100 * 4],
  ])('are counted with the variables %j', (variables, rows) => {
    expect(rowsOf(sized, variables)).toBe(rows);
  });

  it.each([
    [{ ids: ['1', '2', '3'] }, 3],
    [{ ids: Array(1_000).fill('1') }, 100],
    [{ ids: 'x' }, 100],
    [{}, 100],
  ])('are counted with as many ids as there are', (variables, rows) => {
    expect(rowsOf('query($ids: [ID!]!) { nodes(ids: $ids) { id } }', variables)).toBe(rows);
  });
});

describe('an operation', () => {
  const limits = { tokens: 5_000, depth: 15, aliases: 50, rows: 10_000 };
  const engine = createEngine(schema, limits);
  const visit = { acceptsEvents: true, mayMutate: true, announce: () => undefined } as unknown as Visit;
  const run = async (query: string, variables = {}): Promise<unknown> => engine({ query, variables }, visit);

  it.each([DASHBOARD, links('(first: 100)', orders('(first: 20)', 'id'))])('of moderate size is run', async (text) => {
    expect(await run(text)).toEqual({ data: { organization: null } });
  });

  it('that multiplies rows is refused, with how many there could be', async () => {
    const facts = { limit: 'rows', most: 10_000, actual: 100_020 };
    expect(await run(MULTIPLIED)).toMatchObject({ errors: [{ originalError: { code: 'DOCUMENT_TOO_LARGE', facts } }] });
  });

  it('is held against the limit with each request’s own variables', async () => {
    const text = `query($n: Int) ${links('(first: 100)', orders('(first: $n)', 'id'))}`;
    expect(await run(text, { n: 20 })).toEqual({ data: { organization: null } });
    expect(await run(text, { n: 100 })).toMatchObject({ errors: [{ originalError: { code: 'DOCUMENT_TOO_LARGE' } }] });
  });

  it.each([
    'subscription { x }',
    'subscription { __typename }',
    'subscription S { ...f } fragment f on Query { __typename }',
  ])('of a kind that the schema does not have is refused: %s', async (text) => {
    const without = createEngine(buildSchema('type Query { x: Int }'), limits);
    const error = { code: 'GRAPHQL_VALIDATION_FAILED', facts: { fault: 'the schema has no subscription' } };
    expect(await without({ query: text, variables: {} }, visit)).toMatchObject({ errors: [{ originalError: error }] });
  });
});
