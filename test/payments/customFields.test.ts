import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/kernel/errors.ts';
import {
  type CustomField,
  type CustomFieldInput,
  cleanCustomFields,
  readFieldValues,
} from '../../src/payments/model/customFields.ts';

const text = (given: Partial<CustomFieldInput> = {}): CustomFieldInput => ({
  key: 'note',
  label: 'Note',
  type: 'TEXT',
  ...given,
});

/** The code that is thrown, and the key that it names. */
function codeOf(deed: () => unknown): [code: string, key: unknown] {
  try {
    deed();
  } catch (error) {
    if (error instanceof GatewayError) return [error.code, error.facts.key];
    throw error;
  }
  return ['OK', undefined];
}

describe('what payers are asked for', () => {
  it('stands as it was said, with its limits', () => {
    expect(
      cleanCustomFields([
        text({ label: '  Note ', maxLength: 20 }),
        { key: 'size', label: 'Size', type: 'SELECT', required: true, options: ['S', ' M '] },
        { key: 'count', label: 'How many', type: 'NUMBER', min: '-1.5', max: '10' },
      ]),
    ).toEqual([
      { key: 'note', label: 'Note', type: 'TEXT', required: false, maxLength: 20 },
      { key: 'size', label: 'Size', type: 'SELECT', required: true, options: ['S', 'M'] },
      { key: 'count', label: 'How many', type: 'NUMBER', required: false, min: '-1.5', max: '10' },
    ]);
  });

  it.each([
    ['a key that is none', [text({ key: 'No Te' })]],
    ['a key twice', [text(), text()]],
    ['more than twenty', Array.from({ length: 21 }, (_, index) => text({ key: `a${index}` }))],
    ['options of a text', [text({ options: ['a'] })]],
    ['a choice without options', [text({ type: 'SELECT' })]],
    ['an option twice', [text({ type: 'SELECT', options: ['a', 'a'] })]],
    ['too long a text', [text({ maxLength: 501 })]],
    ['a least number of a text', [text({ min: '1' })]],
    ['a number that is none', [text({ type: 'NUMBER', min: '1e3' })]],
    ['a least above the most', [text({ type: 'NUMBER', min: '2', max: '1' })]],
  ])('is refused with %s', (_, fields) => {
    expect(codeOf(() => cleanCustomFields(fields))[0]).toBe('FIELDS_INVALID');
  });
});

describe('what a payer says', () => {
  const fields: readonly CustomField[] = [
    { key: 'note', label: 'Note', type: 'TEXT', required: false, maxLength: 5 },
    { key: 'mail', label: 'Mail', type: 'EMAIL', required: true },
    { key: 'count', label: 'Count', type: 'NUMBER', required: false, min: '0.1', max: '10' },
    { key: 'terms', label: 'Terms', type: 'BOOLEAN', required: true },
    { key: 'size', label: 'Size', type: 'SELECT', required: false, options: ['S', 'M'] },
  ];
  const said = { mail: 'dave@example.org', terms: true };

  it('is kept by the key of the field, with numbers as texts', () => {
    expect(readFieldValues(fields, { ...said, note: ' tea ', count: 3, size: 'M' })).toEqual({
      ...said,
      note: 'tea',
      count: '3',
      size: 'M',
    });
    expect(readFieldValues(fields, { ...said, count: '0.10', note: null })).toEqual({ ...said, count: '0.10' });
  });

  it.each([
    ['mail', { terms: true }],
    ['mail', { ...said, mail: 'dave' }],
    ['mail', { ...said, mail: 5 }],
    ['terms', { ...said, terms: false }],
    ['terms', { ...said, terms: 'true' }],
    ['note', { ...said, note: 'longer' }],
    ['note', { ...said, note: ['a'] }],
    ['count', { ...said, count: '0.09' }],
    ['count', { ...said, count: '10.000000000000000001' }],
    ['count', { ...said, count: 0.5 }],
    ['size', { ...said, size: 'L' }],
    ['other', { ...said, other: 'x' }],
    ['constructor', { ...said, constructor: 'x' }],
  ])('is refused by the key %s of %j', (key, given) => {
    expect(codeOf(() => readFieldValues(fields, given))).toEqual(['FIELD_INVALID', key]);
  });

  it('is nothing where nothing is asked for', () => {
    expect(readFieldValues([], {})).toEqual({});
    expect(codeOf(() => readFieldValues([], { note: 'x' }))).toEqual(['FIELD_INVALID', 'note']);
  });
});
