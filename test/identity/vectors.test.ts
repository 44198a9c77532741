import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import negatives from './vectors/parsing_negative.json' with { type: 'json' };
import negativeObjects from './vectors/parsing_negative_objects.json' with { type: 'json' };
import positives from './vectors/parsing_positive.json' with { type: 'json' };
import { codeOf, sql, submit } from './visitor.ts';

// The vectors of the siwe reference implementation, under the Apache License 2.0 (vectors/LICENSE), unchanged.

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const SIGNATURE = `0x${'5a'.repeat(64)}1b`;

/** The outcomes of all attempts that were carried out, which is what refused types never come to. */
async function attempts(): Promise<unknown[]> {
  return (await sql(house, 'select outcome from sign_in_attempts order by id')).map(({ outcome }) => outcome);
}

describe('the official vectors of EIP-4361, through the mutation', () => {
  it('are all there', () => {
    expect([positives, negatives, negativeObjects].map((vectors) => Object.keys(vectors).length)).toEqual([19, 29, 18]);
  });

  it.each(Object.entries(positives))('reads: %s', async (_name, { message }) => {
    const { code, answer } = await submit(house, { message, signature: SIGNATURE });
    // Their dates have passed and their domains are not ours.
    expect(code).toMatch(/^SIWE_(?!MALFORMED)/);
    expect(answer.status).toBe(200);
  });

  it.each(Object.entries(negatives))('refuses as malformed: %s', async (_name, message) => {
    const { code } = await submit(house, { message, signature: SIGNATURE });
    expect(code).toBe('SIWE_MALFORMED');
    expect((await attempts()).at(-1)).toBe('SIWE_MALFORMED');
  });

  it.each(Object.entries(negativeObjects))('refuses as no text, and does not run: %s', async (_name, message) => {
    const before = await attempts();
    const { code } = await submit(house, { message, signature: SIGNATURE });
    expect(code).toBe('BAD_USER_INPUT');
    const fields = Object.entries(message).map(([field, value]) => `${field}: ${JSON.stringify(value)}`);
    const inline = await house.ask(`mutation {
      signInWithEthereum(input: { message: { ${fields} }, signature: "${SIGNATURE}" }) { isNewUser }
    }`);
    expect(codeOf(inline)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await attempts()).toEqual(before);
  });
});
