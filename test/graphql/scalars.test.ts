import { type GraphQLScalarType, isScalarType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builder } from '../../src/graphql/builder.ts';
import '../../src/graphql/node.ts';
import '../../src/graphql/scalars.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const ADDRESS = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

/** What each scalar takes, as code reads it, and what it refuses; every scalar of ours is here. */
const SCALARS: Readonly<
  Record<string, { readonly takes: readonly [string, unknown][]; readonly refuses: readonly unknown[] }>
> = {
  Address: {
    takes: [
      [ADDRESS, ADDRESS.toLowerCase()],
      [ADDRESS.toLowerCase(), ADDRESS.toLowerCase()],
    ],
    refuses: [
      ADDRESS.replace('C8', 'c8'),
      ADDRESS.slice(0, -1),
      `${ADDRESS}0`,
      ` ${ADDRESS}`,
      ADDRESS.slice(2),
      ADDRESS.replace('0x', '0X'),
      `eip155:1:${ADDRESS}`,
      'vitalik.eth',
    ],
  },
  BigInt: {
    takes: [
      ['0', 0n],
      ['-1', -1n],
      ['9'.repeat(78), BigInt('9'.repeat(78))],
    ],
    refuses: ['-0', '00', '01', '+1', '1.0', '1e3', '0x1', ' 1', '1 ', '9'.repeat(79), '١'],
  },
  DateTime: {
    takes: [
      ['2026-11-21T01:02:03Z', new Date('2026-11-21T01:02:03Z')],
      ['2026-11-21T01:02:03.4567+02:00', new Date('2026-11-20T23:02:03.456Z')],
      ['2024-02-29T00:00:00Z', new Date('2024-02-29T00:00:00Z')],
    ],
    refuses: [
      '2026-11-21',
      '2026-11-21T01:02:03',
      '2026-11-21 01:02:03Z',
      '2026-02-30T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-11-21T25:00:00Z',
      '1',
      'now',
      'Sat Nov 21 2026',
    ],
  },
  Decimal: {
    takes: [
      ['0', '0'],
      ['12.50', '12.50'],
      ['0.000000000000000001', '0.000000000000000001'],
    ],
    refuses: ['-1', '+1', '1.', '.5', '00', '01.5', '1e5', '1,5', '1 000', ' 1', '0x10', 'NaN', 'Infinity', '1.5.0'],
  },
  Hex: {
    takes: [
      ['0x', '0x'],
      ['0xAbCd', '0xAbCd'],
    ],
    refuses: ['0xabc', 'abcd', '0Xabcd', '0xgg', '0x ab', ' 0xab'],
  },
};

/** What is not even a text. */
const NO_TEXTS: readonly unknown[] = [1, 0, -1.5, true, [], ['0x'], {}, { value: '1' }, ''];

/** The scalars and nothing of any domain. */
const schema = builder.toSchema();
const own = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLScalarType =>
    isScalarType(type) && !['ID', 'String', 'Int', 'Float', 'Boolean'].includes(type.name),
);

const OBJECTS = ['JsonObject', 'Preferences'];
/** Those that are texts on the wire. */
const texts = own.map(({ name }) => name).filter((name) => !OBJECTS.includes(name));

describe('scalars', () => {
  it('are all told about here', () => {
    expect([...texts, ...OBJECTS].sort()).toEqual(own.map(({ name }) => name).sort());
    expect(texts.sort()).toEqual(Object.keys(SCALARS));
  });

  it.each(OBJECTS)('of an object take nothing else: %s', (name) => {
    const scalar = schema.getType(name) as GraphQLScalarType;
    expect(scalar.parseValue({ theme: 'dark' })).toEqual({ theme: 'dark' });
    for (const given of [null, 1, 'x', true, [], ['x']]) {
      expect(() => scalar.parseValue(given)).toThrow(`${name} must be a JSON object`);
    }
  });

  it.each(
    own.filter(({ name }) => texts.includes(name)).map((scalar): [string, GraphQLScalarType] => [scalar.name, scalar]),
  )('%s takes and refuses', (name, scalar) => {
    const { takes = [], refuses = [] } = SCALARS[name] ?? {};
    for (const [given, read] of takes) expect([given, scalar.parseValue(given)]).toEqual([given, read]);
    for (const given of [...refuses, ...NO_TEXTS.filter((value) => !(name === 'Hex' && value === '0x'))]) {
      let thrown: unknown;
      try {
        thrown = { read: scalar.parseValue(given) };
      } catch (error) {
        thrown = error;
      }
      expect([given, thrown]).toEqual([
        given,
        expect.objectContaining({
          message: expect.stringMatching(`^${name} must be `),
          code: 'BAD_USER_INPUT',
          facts: expect.objectContaining({ scalar: name }),
        }),
      ]);
    }
  });

  it('are written as the texts that they are read from', () => {
    const write = (name: string, value: unknown): unknown =>
      (schema.getType(name) as GraphQLScalarType).serialize(value);
    expect(write('Address', ADDRESS.toLowerCase())).toBe(ADDRESS);
    expect(write('BigInt', 2n ** 200n)).toBe((2n ** 200n).toString());
    expect(write('DateTime', new Date(1))).toBe('1970-01-01T00:00:00.001Z');
  });
});

describe('a request with a wrong value', () => {
  let tollhouse: TestTollhouse;

  beforeAll(async () => {
    tollhouse = await startTollhouse();
  });
  afterAll(() => tollhouse.stop());

  /** Where a scalar can be given, by a document that takes it as `$value` and one that holds it. */
  const PLACES: readonly [scalar: string, query: string][] = [
    ['Address', 'createSignInChallenge(input: { address: $value }) { challenge { nonce } }'],
    ['Hex', 'signInWithEthereum(input: { message: "x", signature: $value }) { isNewUser }'],
    [
      'Decimal',
      `createPaymentLink(input: { title: "x", accepts: [{ asset: "x", amount: $value, payTo: "${ADDRESS}" }] }) { paymentLink { id } }`,
    ],
    ['Int', 'createSignInChallenge(input: { chainId: $value }) { challenge { nonce } }'],
    ['String', 'createPaymentOrder(input: { slug: $value }) { checkoutOrder { token } }'],
  ];
  const WRONG: Readonly<Record<string, readonly unknown[]>> = {
    Int: ['1', 1.5, 2 ** 31, true, [1], {}],
    String: [1, true, ['x'], {}],
  };

  it.each(PLACES)('of %s is told BAD_USER_INPUT, and where', async (scalar, field) => {
    const type = scalar === 'Int' ? 'Int' : `${scalar}${scalar === 'Address' ? '' : '!'}`;
    const values = WRONG[scalar] ?? [...NO_TEXTS, ...(SCALARS[scalar]?.refuses ?? [])];
    for (const value of values) {
      const answer = await tollhouse.ask(`mutation ($value: ${type}) { ${field} }`, { value });
      const told = answer.errors.map(({ message, extensions }) => [
        extensions.code,
        message.startsWith('Variable "$value"'),
      ]);
      expect([value, answer.data, told]).toEqual([value, null, [['BAD_USER_INPUT', true]]]);
      expect(answer.status).toBeLessThan(500);
    }
  });

  it.each(PLACES.slice(0, 3))('of %s in the document itself is told the same', async (scalar, field) => {
    const literal = JSON.stringify(SCALARS[scalar]?.refuses[0]);
    const answer = await tollhouse.ask(`mutation { ${field.replace('$value', literal)} }`);
    const [error] = answer.errors;
    expect(Object.values(answer.data ?? {}).filter(Boolean)).toEqual([]);
    expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', facts: { scalar } });
    expect(error?.message).toMatch(`${scalar} must be `);
    expect(error).toHaveProperty('locations');
  });
});
