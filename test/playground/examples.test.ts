import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getVariableValues, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { exampleTabs } from '../../src/playground/examples.ts';

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
const terms = { asset: 'eip155:31337/slip44:60', payTo: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266' };
const examples = exampleTabs(terms);

function operationOf(query: string) {
  const [operation, ...others] = parse(query).definitions;
  if (operation?.kind !== 'OperationDefinition' || others.length > 0) throw new Error('An example is one operation.');
  return operation;
}

describe('the operations that stand ready in the playground', () => {
  it.each(examples)('are ones of this schema: $query', ({ query }) => {
    expect(validate(schema, parse(query))).toEqual([]);
  });

  it.each(examples)('have the variables that they need: $query', ({ query, variables = '{}' }) => {
    const { variableDefinitions = [] } = operationOf(query);
    expect(getVariableValues(schema, variableDefinitions, JSON.parse(variables)).errors).toBeUndefined();
  });

  it('are called differently, so that each tab has a name of its own', () => {
    const names = examples.map(({ query }) => operationOf(query).name?.value);
    expect(names.every((name) => name !== undefined)).toBe(true);
    expect(new Set(names).size).toBe(examples.length);
  });

  it('tell in their first lines what they are for', () => {
    for (const { query } of examples) expect(query).toMatch(/^# \S/);
  });
});
