import { afterAll, beforeAll } from 'vitest';
import { type OpenHouse, openHouse } from './openHouse.ts';
import { type Case, describeRefusals, document } from './refusals.ts';

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const many = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');
const nested = (depth: number): string => `${'{nest'.repeat(depth)}{text}${'}'.repeat(depth)}`;
const bomb = many(40, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`);
const sign = 'signInWithEthereum(message: "m", signature: "s")';

const documents: readonly Case[] = [
  ['no GraphQL', document('{ hello'), 400, 'GRAPHQL_PARSE_FAILED'],
  ['a field that does not exist', document('{ helo }'), 400, 'GRAPHQL_VALIDATION_FAILED'],
  ['100 fields that do not exist', document(`{${many(100, (i) => `f${i}`)}}`), 400, 'GRAPHQL_VALIDATION_FAILED'],
  ['a name of 90,000 letters', document(`{${'a'.repeat(90_000)}}`), 400, 'GRAPHQL_VALIDATION_FAILED'],
  ['fields of depth 16', document(nested(15)), 400, 'DOCUMENT_TOO_LARGE'],
  ['fields of depth 10,000', document(nested(10_000)), 400, 'DOCUMENT_TOO_LARGE'],
  [
    'fields of depth 16 through fragments',
    document(`{ ...a } fragment a on Query ${nested(7).replace('text', '...b')} fragment b on Nest ${nested(8)}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'lists of depth 10,000',
    document(`{numbers(of:${'['.repeat(10_000)}${']'.repeat(10_000)})}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'types of depth 10,000',
    document(`query(${'$a:'}${'['.repeat(10_000)}Int${']'.repeat(10_000)}){hello}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'objects of depth 3,000',
    document(`{hello(deep:${'{deep:'.repeat(3_000)}{}${'}'.repeat(3_000)})}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  ['6,000 tokens', document(`{${many(6_000, () => 'hello')}}`), 400, 'DOCUMENT_TOO_LARGE'],
  ['100,000 aliases', document(`{${many(100_000, (i) => `a${i}:hello`)}}`), 413, 'DOCUMENT_TOO_LARGE'],
  ['1,000 aliases', document(`{${many(1_000, (i) => `a${i}:hello`)}}`), 400, 'DOCUMENT_TOO_LARGE'],
  ['51 aliases', document(`{${many(51, (i) => `a${i}:hello`)}}`), 400, 'DOCUMENT_TOO_LARGE'],
  [
    '51 aliases through fragments',
    document(`{nest{...a} other:nest{...a}} fragment a on Nest {${many(25, (i) => `a${i}:text`)}}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'fragments that double forty times',
    document(`{...f0} ${bomb} fragment f40 on Query {hello}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    '101 fragments',
    document(`{hello} ${many(101, (i) => `fragment f${i} on Query {hello}`)}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  ['a fragment inside itself', document('{...a} fragment a on Query {...a}'), 400, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'two fragments inside each other',
    document('{...a} fragment a on Query {nest{...b}} fragment b on Nest {nest{...b}}'),
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['51 directives', document(`{hello ${many(51, () => '@include(if:true)')}}`), 400, 'DOCUMENT_TOO_LARGE'],
  ['more fields than can be compared', document(`{${many(1_200, () => 'nest{text}')}}`), 400, 'DOCUMENT_TOO_LARGE'],
  ['two sign-ins', document(`mutation {a:${sign} b:${sign}}`), 400, 'DOCUMENT_TOO_LARGE'],
  [
    'two sign-ins through a fragment',
    document(`mutation {${sign} ...a} fragment a on Mutation {b:${sign}}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'introspection that goes round',
    document(`{__schema{types{${'fields{type{'.repeat(5)}name${'}}'.repeat(5)}}}}`),
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'introspection of depth 40',
    document(`{__schema{types{${'fields{type{'.repeat(19)}name${'}}'.repeat(19)}}}}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  ['an operation that is not there', document('query a {hello}', { operationName: 'b' }), 400, 'BAD_REQUEST'],
  [
    'an operation name of 90,000 letters',
    document('query a {hello}', { operationName: 'b'.repeat(90_000) }),
    400,
    'BAD_REQUEST',
  ],
  ['two operations and no name', document('query a {hello} query b {hello}'), 400, 'BAD_REQUEST'],
  ['fragments alone', document('fragment a on Query {hello}'), 400, 'BAD_REQUEST'],
  ['a schema definition', document('type A {a:Int}'), 400, 'BAD_REQUEST'],
  ['a schema definition beside an operation', document('{hello} type A {a:Int}'), 400, 'GRAPHQL_VALIDATION_FAILED'],
  ['a subscription without a root', document('subscription {hello}'), 400, 'GRAPHQL_VALIDATION_FAILED'],
];

const values: readonly Case[] = [
  [
    'a variable of another type',
    document('query($a:String){hello(name:$a)}', { variables: { a: 5 } }),
    400,
    'BAD_USER_INPUT',
  ],
  ['no required variable', document('query($a:String!){hello(name:$a)}'), 400, 'BAD_USER_INPUT'],
  [
    'an input field that does not exist',
    document('query($a:Deep){hello(deep:$a)}', { variables: { a: { x: 1 } } }),
    400,
    'BAD_USER_INPUT',
  ],
  [
    '100 wrong values',
    document('query($a:[Int]){numbers(of:$a)}', { variables: { a: Array(100).fill('x') } }),
    400,
    'BAD_USER_INPUT',
  ],
  [
    'what a scalar refuses',
    document('query($a:Even){hello(even:$a)}', { variables: { a: 'x' } }),
    400,
    'BAD_USER_INPUT',
  ],
  [
    'what a scalar refuses by a code',
    document('query($a:Even){hello(even:$a)}', { variables: { a: 13 } }),
    400,
    'BAD_USER_INPUT',
  ],
  ['a literal that a scalar refuses', document('{hello(even:"x")}'), 400, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'NUL in a variable',
    document('query($a:String){hello(name:$a)}', { variables: { a: 'a\0b' } }),
    400,
    'BAD_USER_INPUT',
  ],
  ['NUL in a variable’s name', document('{hello}', { variables: { 'a\0b': 1 } }), 400, 'BAD_USER_INPUT'],
  ['NUL in a literal', document('{hello(name:"a\\u0000b")}'), 400, 'BAD_USER_INPUT'],
  ['NUL in a block of text', document('{hello(name:"""a\0b""")}'), 400, 'BAD_USER_INPUT'],
  ['NUL in the operation name', document('{hello}', { operationName: 'a\0' }), 400, 'BAD_USER_INPUT'],
  [
    'half a surrogate pair in a variable',
    document('query($a:String){hello(name:$a)}', { variables: { a: '\ud83d' } }),
    400,
    'BAD_USER_INPUT',
  ],
  ['half a surrogate pair in a literal', document('{hello(name:"\\ud83d")}'), 400, 'GRAPHQL_PARSE_FAILED'],
];

describeRefusals('documents', documents, () => house);
describeRefusals('values', values, () => house);
