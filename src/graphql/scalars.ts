import { showAddress, storeAddress } from '../kernel/address.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { builder } from './builder.ts';

const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;
const DECIMAL = /^(?:0|[1-9]\d*)(?:\.\d+)?$/;
const INTEGER = /^(?:0|-?[1-9]\d{0,77})$/;
/** RFC 3339: a moment is not one without its offset from UTC. */
const MOMENT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** graphql-js tells these words beside the place of the value. */
function refuse(scalar: string, expected: string): never {
  const failure = kernelErrors.BAD_USER_INPUT({ scalar, expected });
  failure.message = `${scalar} must be ${expected}.`;
  throw failure;
}

function text(scalar: string, value: unknown, expectation: string): string {
  return typeof value === 'string' ? value : refuse(scalar, `${expectation}, as a string`);
}

builder.scalarType('Address', {
  description: 'A blockchain address: `0x` and forty hexadecimal digits, shown with the EIP-55 checksum.',
  specifiedByURL: 'https://eips.ethereum.org/EIPS/eip-55',
  serialize: showAddress,
  parseValue: (value) =>
    storeAddress(text('Address', value, 'an address')) ??
    refuse('Address', '`0x` and forty hexadecimal digits, in lower case or with the EIP-55 checksum'),
});

builder.scalarType('Hex', {
  description: 'Bytes: `0x` and an even number of hexadecimal digits.',
  serialize: (value) => value,
  parseValue: (value) => {
    const hex = text('Hex', value, 'bytes');
    return HEX.test(hex) ? (hex as `0x${string}`) : refuse('Hex', '`0x` and an even number of hexadecimal digits');
  },
});

builder.scalarType('Decimal', {
  description: 'An exact decimal number as a string, such as `"12.50"`; never a JSON number.',
  serialize: (value) => value,
  parseValue: (value) => {
    const decimal = text('Decimal', value, 'a decimal number');
    return DECIMAL.test(decimal) ? decimal : refuse('Decimal', 'digits, perhaps with a point and more digits');
  },
});

builder.scalarType('BigInt', {
  description: 'A whole number of any size, as a string of digits.',
  serialize: (value) => (typeof value === 'bigint' ? value.toString() : value.toFixed()),
  parseValue: (value) => {
    const integer = text('BigInt', value, 'a whole number');
    return INTEGER.test(integer) ? BigInt(integer) : refuse('BigInt', 'a whole number of at most 78 digits');
  },
});

builder.scalarType('Preferences', {
  description:
    'A JSON object: at most 50 keys of 500 characters, with a text of as many, a number or a boolean for each.',
  serialize: (value) => value,
  parseValue: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : refuse('Preferences', 'a JSON object'),
});

builder.scalarType('JsonObject', {
  description: 'A JSON object; each field of this type says what may be in it.',
  serialize: (value) => value,
  parseValue: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : refuse('JsonObject', 'a JSON object'),
});

builder.scalarType('DateTime', {
  description: 'A moment, in ISO 8601 and UTC, to the millisecond.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const written = text('DateTime', value, 'a moment');
    const [, day] = MOMENT.exec(written) ?? [];
    const moment = new Date(written);
    // JavaScript takes the thirtieth of February for the second of March.
    const exists = day !== undefined && !Number.isNaN(moment.getTime()) && isDay(day);
    return exists ? moment : refuse('DateTime', 'a moment in ISO 8601, with its offset from UTC');
  },
});

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
