import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codesOf, type OpenHouse, openHouse, query, TOKEN } from './openHouse.ts';

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const ID = { headers: { 'x-request-id': 'request-7' } };

/** What must never leave: a statement, what it is about, a stack, and what the fault was about. */
const PRIVATE =
  /select |secret_column|"Wallet|wallet_address_key|nonce|\bat \w+ \(|cannot read|internal matter|thrown text/;

async function failing(how: string, field = 'fail'): Promise<{ status: number; headers: object; body: never }> {
  const answer = await query(house.gateway.port, `query Failing($how: String!) { ${field}(how: $how) }`, {
    variables: { how },
    ...ID,
  });
  expect(answer.text).not.toMatch(PRIVATE);
  expect(answer.text).not.toContain(TOKEN);
  return { status: answer.status, headers: answer.headers, body: JSON.parse(answer.text) as never };
}

describe('an error of a field', () => {
  it('shows a failure of ours with its code, its remedy, its facts and where it is explained', async () => {
    expect(await failing('known')).toMatchObject({
      status: 200,
      body: {
        data: { fail: null },
        errors: [
          {
            message: 'The signed-in user may not do this in the active organization.',
            path: ['fail'],
            locations: [{ line: 1, column: 32 }],
            extensions: {
              code: 'FORBIDDEN',
              retryable: false,
              remedy: 'Ask an owner or an admin of the organization.',
              docs: 'docs/errors.md#forbidden',
              facts: { needed: 'ADMIN' },
              requestId: 'request-7',
            },
          },
        ],
      },
    });
  });

  it('leaves out facts when there are none', async () => {
    const { body } = await failing('conflict');
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'CONFLICT', retryable: true } }] });
    expect(JSON.stringify(body)).not.toContain('"facts"');
  });

  it('explains what the database means by a SQLSTATE', async () => {
    expect((await failing('serialization')).body).toMatchObject({ errors: [{ extensions: { code: 'CONFLICT' } }] });
  });

  it.each(['constraint', 'bug', 'graphql', 'text', 'nothing', 'unknown'])('masks a fault of ours (%s)', async (how) => {
    const { status, body } = await failing(how);
    expect([status, body]).toMatchObject([
      200,
      {
        data: { fail: null },
        errors: [
          { message: 'Something failed on our side.', extensions: { code: 'INTERNAL', requestId: 'request-7' } },
        ],
      },
    ]);
  });

  it('answers 200 with data null when a field that must not be null has failed', async () => {
    expect(await failing('known', 'must')).toMatchObject({ status: 200, body: { data: null } });
    expect(await failing('bug', 'must')).toMatchObject({ status: 200, body: { data: null } });
  });
});

describe('a limit', () => {
  it.each(['fail', 'must'])('answers 429 with the seconds to wait when %s has nothing else to show', async (field) => {
    const { status, headers, body } = await failing('limited', field);
    expect([status, headers]).toMatchObject([429, { 'retry-after': '7' }]);
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED', retryable: true } }] });
  });

  it('answers 200 with the seconds to wait when another field has its answer', async () => {
    const answer = await query(house.gateway.port, '{ hello fail(how: "limited") }');
    expect(answer).toMatchObject({ status: 200, headers: { 'retry-after': '7' } });
    expect(JSON.parse(answer.text)).toMatchObject({ data: { hello: 'hello you', fail: null } });
  });
});

describe('a refused document', () => {
  it('keeps the words of the parser, and the place', async () => {
    const { text } = await query(house.gateway.port, '{ hello');
    expect(JSON.parse(text).errors).toMatchObject([
      { message: 'Syntax Error: Expected Name, found <EOF>.', locations: [{ line: 1, column: 8 }] },
    ]);
  });

  it('keeps the words of validation, one error a fault and ten at most', async () => {
    const two = JSON.parse((await query(house.gateway.port, '{ helo viewr }')).text);
    expect(two.errors).toMatchObject([
      {
        message: 'Cannot query field "helo" on type "Query". Did you mean "hello"?',
        locations: [{ line: 1, column: 3 }],
      },
      { message: 'Cannot query field "viewr" on type "Query". Did you mean "viewer"?' },
    ]);
    const fields = Array.from({ length: 40 }, (_, index) => `f${index}`).join(' ');
    expect(JSON.parse((await query(house.gateway.port, `{ ${fields} }`)).text).errors).toHaveLength(10);
  });

  it('names the variable that is wrong, and what a scalar expects', async () => {
    const document = 'query($a: Even) { hello(even: $a) }';
    const { text } = await query(house.gateway.port, document, { variables: { a: 'odd' } });
    expect(JSON.parse(text).errors[0]).toMatchObject({
      message: 'Variable "$a" got invalid value "odd"; Even must be a number.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  it('keeps the facts of a scalar that refuses with a failure of ours', async () => {
    const document = 'query($a: Even) { hello(even: $a) }';
    const answer = await query(house.gateway.port, document, { variables: { a: 13 } });
    expect(JSON.parse(answer.text).errors[0].extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      facts: { field: 'even', expected: 'no thirteen' },
    });
    expect(codesOf(await query(house.gateway.port, '{ hello(even: 13) }'))).toEqual(['BAD_USER_INPUT']);
  });

  it('says which part of the variables holds NUL', async () => {
    const variables = { a: { deep: { text: 'a\0' } } };
    const { text } = await query(house.gateway.port, 'query($a: Deep) { hello(deep: $a) }', { variables });
    expect(JSON.parse(text).errors[0].extensions.facts).toEqual({
      input: 'variables.a.deep.text',
      fault: 'it holds a NUL character',
    });
  });

  it('shortens what would repeat a caller’s own megabytes', async () => {
    const { text } = await query(house.gateway.port, `{ ${'a'.repeat(50_000)} }`);
    expect(text.length).toBeLessThan(2_000);
  });
});
