import negatives from '../vectors/parsing_negative.json' with { type: 'json' };
import negativeObjects from '../vectors/parsing_negative_objects.json' with { type: 'json' };
import positives from '../vectors/parsing_positive.json' with { type: 'json' };
import type { Case } from './cases.ts';

const SIGNATURE = `0x${'5a'.repeat(64)}1b`;

function handIn(message: unknown): Case['run'] {
  return (gateway) => gateway.signIn(message, SIGNATURE);
}

/**
 * The vectors of the siwe reference implementation (../vectors): what it reads is read here, and fails only for its
 * domain, which is nobody's; what it refuses is malformed; and what is no text is no input.
 */
export const OFFICIAL_CASES: readonly Case[] = [
  ...Object.entries(positives).map(([name, { message }]) => ({
    about: 'official, read',
    name,
    expected: 'SIWE_DOMAIN_MISMATCH',
    run: handIn(message),
  })),
  ...Object.entries(negatives).map(([name, message]) => ({
    about: 'official, refused',
    name,
    expected: 'SIWE_MALFORMED',
    run: handIn(message),
  })),
  ...Object.entries(negativeObjects).map(([name, message]) => ({
    about: 'official, no text',
    name,
    expected: 'BAD_USER_INPUT',
    run: handIn(message),
  })),
];
