import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, ask, type OpenHouse, openHouse, query, TOKEN } from './openHouse.ts';
import { document, get, JSON_BODY, post } from './refusals.ts';

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const many = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');
const nested = (depth: number): string => `${'{nest'.repeat(depth)}{text}${'}'.repeat(depth)}`;
describe('unusual requests that are none the less good', () => {
  it.each<[string, Ask]>([
    ['an operation name that is empty', document('{hello}', { operationName: '' })],
    ['parts that are null', document('{hello}', { operationName: null, variables: null, extensions: null })],
    ['a byte order mark', post('\ufeff{"query":"{ hello }"}')],
    [
      'names that JavaScript knows',
      document('{hello}', { variables: { constructor: { prototype: { admin: true } }, toString: 1 } }),
    ],
    ['a charset', post({ query: '{hello}' }, { 'content-type': 'application/json; charset=UTF-8' })],
    ['GET', get('query={hello}&variables={}&operationName=')],
    ['every limit reached', document(`{hello ${many(50, (i) => `a${i}:hello`)}}`)],
    ['depth 15', document(`${nested(14).replace('{', '{hello ')}`)],
    ['a signed-in viewer', post({ query: '{hello}' }, { ...JSON_BODY, authorization: `bearer ${TOKEN}` })],
  ])('answers %s', async (_, request) => {
    const { status, text } = await ask(house.gateway.port, request);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ data: { hello: 'hello you' } });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it.each([
    'a quotation mark " and a backslash \\',
    'emoji 😀 and ünïcödé',
    '\\u0000 in letters',
    '__proto__',
    '{"a":[1,{"a":2}]}',
  ])('passes on the text %s as it is', async (name) => {
    const { text } = await query(house.gateway.port, 'query($name:String){hello(name:$name)}', { variables: { name } });
    expect(JSON.parse(text).data.hello).toBe(`hello ${name}`);
  });
});
