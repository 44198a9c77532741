import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, isEnumType } from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  CLAIM_WORDS,
  EXCEPTION_WORDS,
  LINK_WORDS,
  ORDER_WORDS,
  REFUND_WORDS,
  REFUSALS,
  UNDER_WAY_WORDS,
  UNWATCHED_WORDS,
} from '../../src/checkout/words.ts';

const house = join(import.meta.dirname, '../..');
const schema = buildSchema(readFileSync(join(house, 'schema.graphql'), 'utf8'));

function valuesOf(name: string): string[] {
  const type = schema.getType(name);
  if (!isEnumType(type)) throw new Error(`${name} is no enum of the schema.`);
  return type.getValues().map((value) => value.name);
}

describe('what payers read', () => {
  it.each([
    ['PaymentOrderStatus', ORDER_WORDS],
    ['PaymentOrderException', EXCEPTION_WORDS],
    ['PaymentRefundStatus', REFUND_WORDS],
    ['PaymentLinkState', LINK_WORDS],
  ] as const)('says something of each %s, and of no other', (name, words) => {
    expect(Object.keys(words).sort()).toEqual(valuesOf(name).sort());
  });

  it('is no code, and speaks of nothing that a payer cannot know', () => {
    const tables = [ORDER_WORDS, EXCEPTION_WORDS, REFUND_WORDS, LINK_WORDS, REFUSALS, UNDER_WAY_WORDS, CLAIM_WORDS];
    const said = JSON.stringify([...tables, UNWATCHED_WORDS].map(Object.values));
    expect(said).not.toMatch(/[A-Z]{2,}_[A-Z]|\bRPC\b|GraphQL|token of|slug|handle|reorg|mutation/);
  });

  it('says of a network that is not followed what is to be done, whatever the reason', () => {
    expect(Object.keys(REFUSALS)).toEqual(expect.arrayContaining(['CHAIN_UNAVAILABLE', 'CHAIN_NOT_WATCHED']));
  });

  it('names refusals that the gateway knows, or the client', () => {
    const known = readFileSync(join(house, 'docs/errors.md'), 'utf8');
    const ofClient = ['NETWORK_FAILED'];
    const unknown = Object.keys(REFUSALS).filter(
      (code) => !ofClient.includes(code) && !known.includes(`\n### ${code}\n`),
    );
    expect(unknown).toEqual([]);
  });
});
