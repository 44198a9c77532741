import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLField, getNamedType, isInputObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';

const house = join(import.meta.dirname, '../..');
const mutations = Object.values(
  buildSchema(readFileSync(join(house, 'schema.graphql'), 'utf8'))
    .getMutationType()
    ?.getFields() ?? {},
);

function takesKey({ args }: GraphQLField<unknown, unknown>): boolean {
  return args.some(({ type }) => {
    const input = getNamedType(type);
    return isInputObjectType(input) && 'idempotencyKey' in input.getFields();
  });
}

describe('a mutation', () => {
  it('takes an idempotency key, unless the page says why not', () => {
    const page = readFileSync(join(house, 'docs/domains/idempotency.md'), 'utf8').split('<!-- without a key -->')[1];
    const said = [...(page ?? '').matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const without = mutations.filter((mutation) => !takesKey(mutation)).map(({ name }) => name);
    expect(said.sort()).toEqual(without.sort());
    expect(without.length).toBeLessThan(mutations.length);
  });
});
