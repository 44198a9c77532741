import { afterAll, beforeAll } from 'vitest';
import { type OpenHouse, openHouse, TOKEN } from './openHouse.ts';
import { type Case, describeRefusals, document, get, JSON_BODY, post } from './refusals.ts';

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const bodies: readonly Case[] = [
  ['no body', post(''), 400, 'BAD_REQUEST'],
  ['white space', post(' \n\t '), 400, 'BAD_REQUEST'],
  ['a megabyte of white space', post(' '.repeat(1_000_000)), 413, 'DOCUMENT_TOO_LARGE'],
  [
    'a megabyte of white space in chunks',
    { ...post(' '.repeat(1_000_000)), headers: { ...JSON_BODY, 'transfer-encoding': 'chunked' } },
    413,
    'DOCUMENT_TOO_LARGE',
  ],
  ['twenty megabytes', post(Buffer.alloc(20_000_000, 'a')), 413, 'DOCUMENT_TOO_LARGE'],
  ['no JSON', post('{"query":'), 400, 'BAD_REQUEST'],
  ['a list of requests', post([{ query: '{ hello }' }]), 400, 'BAD_REQUEST'],
  ['a number', post('5'), 400, 'BAD_REQUEST'],
  ['a text', post('"{ hello }"'), 400, 'BAD_REQUEST'],
  ['null', post('null'), 400, 'BAD_REQUEST'],
  ['true', post('true'), 400, 'BAD_REQUEST'],
  ['an empty object', post({}), 400, 'BAD_REQUEST'],
  ['a query that is null', post({ query: null }), 400, 'BAD_REQUEST'],
  ['a query that is a number', post({ query: 5 }), 400, 'BAD_REQUEST'],
  ['a query that is an object', post({ query: {} }), 400, 'BAD_REQUEST'],
  ['an empty query', post({ query: '' }), 400, 'BAD_REQUEST'],
  ['a blank query', post({ query: '  ' }), 400, 'GRAPHQL_PARSE_FAILED'],
  ['variables in a list', document('{ hello }', { variables: [1] }), 400, 'BAD_REQUEST'],
  ['variables as text', document('{ hello }', { variables: '{}' }), 400, 'BAD_REQUEST'],
  ['extensions in a list', document('{ hello }', { extensions: [] }), 400, 'BAD_REQUEST'],
  ['an operation name that is a number', document('{ hello }', { operationName: 5 }), 400, 'BAD_REQUEST'],
  ['a part that is not known', document('{ hello }', { token: 'x' }), 400, 'BAD_REQUEST'],
  ['a name twice', post('{"query":"{ hello }","query":"{ viewer }"}'), 400, 'BAD_REQUEST'],
  ['a name twice, spelled twice', post('{"query":"{ hello }","\\u0071uery":"{ viewer }"}'), 400, 'BAD_REQUEST'],
  ['a variable twice', post('{"query":"{ hello }","variables":{"a":{"b":1,"c":2,"b":3}}}'), 400, 'BAD_REQUEST'],
  ['__proto__', post('{"query":"{ hello }","__proto__":{"viewer":"x"}}'), 400, 'BAD_REQUEST'],
  ['__proto__ in variables', post('{"query":"{ hello }","variables":{"\\u005f_proto__":{"a":1}}}'), 400, 'BAD_REQUEST'],
  [
    'variables of depth 10,000',
    post(`{"query":"{ hello }","variables":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`),
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  [
    'a broken UTF-8 sequence',
    post(Buffer.from('{"query":"{ hello(name: \\"\xff\xfe\\") }"}', 'latin1')),
    400,
    'BAD_REQUEST',
  ],
  ['a NUL byte', post('{"query":"{ hello }"\0}'), 400, 'BAD_REQUEST'],
];

const types: readonly Case[] = [
  ['text', post({ query: '{ hello }' }, { 'content-type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'a form',
    post('query={hello}', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'several parts',
    post('--x--', { 'content-type': 'multipart/form-data; boundary=x' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['a bare document', post('{ hello }', { 'content-type': 'application/graphql' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'another encoding of characters',
    post({ query: '{ hello }' }, { 'content-type': 'application/json; charset=utf-16' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a type that only begins well',
    post({ query: '{ hello }' }, { 'content-type': 'application/jsonp' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['no type', post({ query: '{ hello }' }, {}), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['compression', post('x', { ...JSON_BODY, 'content-encoding': 'gzip' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['images alone', post({ query: '{ hello }' }, { ...JSON_BODY, accept: 'image/png' }), 406, 'NOT_ACCEPTABLE'],
  [
    'what JavaScript finds in every object',
    post({ query: '{ hello }' }, { ...JSON_BODY, accept: 'constructor' }),
    406,
    'NOT_ACCEPTABLE',
  ],
  [
    'a stream as JSON',
    post({ query: 'subscription { ticks }' }, { ...JSON_BODY, accept: 'application/json' }),
    406,
    'NOT_ACCEPTABLE',
  ],
];

const addresses: readonly Case[] = [
  ['nothing', get(''), 400, 'BAD_REQUEST'],
  ['variables that are no JSON', get('query={hello}&variables={'), 400, 'BAD_REQUEST'],
  ['variables in a list', get('query={hello}&variables=[]'), 400, 'BAD_REQUEST'],
  ['extensions that are no JSON', get('query={hello}&extensions=x'), 400, 'BAD_REQUEST'],
  ['a query twice', get('query={hello}&query={viewer}'), 400, 'BAD_REQUEST'],
  ['a token', get(`query={hello}&access_token=${TOKEN}`), 400, 'BAD_REQUEST'],
  ['bytes that are no UTF-8', get('query={hello(name:"%ff")}'), 400, 'BAD_REQUEST'],
  ['half an escape', get('query=%'), 400, 'BAD_REQUEST'],
  ['NUL in a literal', get('query={hello(name:"%00")}'), 400, 'BAD_USER_INPUT'],
  ['NUL in a variable', get('query=query($a:String){hello(name:$a)}&variables={"a":"\\u0000"}'), 400, 'BAD_USER_INPUT'],
  ['a mutation', get('query=mutation{become}'), 405, 'METHOD_NOT_ALLOWED'],
  ['a mutation by its name', get('query=query+a{hello}mutation+b{become}&operationName=b'), 405, 'METHOD_NOT_ALLOWED'],
  ['a list of requests', get('query=[]'), 400, 'GRAPHQL_PARSE_FAILED'],
  ['PUT', { ...document('{hello}'), method: 'PUT' }, 405, 'METHOD_NOT_ALLOWED'],
  ['PATCH', { ...document('{hello}'), method: 'PATCH' }, 405, 'METHOD_NOT_ALLOWED'],
  ['DELETE', { method: 'DELETE' }, 405, 'METHOD_NOT_ALLOWED'],
  ['TRACE', { method: 'TRACE' }, 405, 'METHOD_NOT_ALLOWED'],
  ['a post to health', { ...document('{hello}'), path: '/health/live' }, 405, 'METHOD_NOT_ALLOWED'],
  ['the root', { method: 'GET', path: '/' }, 404, 'PATH_NOT_FOUND'],
  ['a slash too much', { ...document('{hello}'), path: '/graphql/' }, 404, 'PATH_NOT_FOUND'],
  ['two slashes', { ...document('{hello}'), path: '//graphql' }, 404, 'PATH_NOT_FOUND'],
  ['a way up', { method: 'GET', path: '/graphql/../../etc/passwd' }, 404, 'PATH_NOT_FOUND'],
  ['another host', { method: 'GET', path: 'http://elsewhere.example/graphql' }, 404, 'PATH_NOT_FOUND'],
];

const credentials: readonly Case[] = [
  [
    'a forged token',
    post({ query: '{hello}' }, { ...JSON_BODY, authorization: `Bearer ${TOKEN}x` }),
    401,
    'UNAUTHENTICATED',
  ],
  ['no token', post({ query: '{hello}' }, { ...JSON_BODY, authorization: 'Bearer ' }), 401, 'UNAUTHENTICATED'],
  ['an empty header', post({ query: '{hello}' }, { ...JSON_BODY, authorization: '' }), 401, 'UNAUTHENTICATED'],
  ['another scheme', post({ query: '{hello}' }, { ...JSON_BODY, authorization: 'Basic dTpw' }), 401, 'UNAUTHENTICATED'],
  [
    'two tokens',
    post({ query: '{hello}' }, { ...JSON_BODY, authorization: `Bearer ${TOKEN} ${TOKEN}` }),
    401,
    'UNAUTHENTICATED',
  ],
  ['a token by GET', get('query={hello}', { authorization: 'Bearer x' }), 401, 'UNAUTHENTICATED'],
];

describeRefusals('bodies', bodies, () => house);
describeRefusals('media types', types, () => house);
describeRefusals('addresses and methods', addresses, () => house);
describeRefusals('credentials', credentials, () => house);
