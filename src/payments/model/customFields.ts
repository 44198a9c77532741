import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';

/** What a payer can be asked for. */
export type CustomFieldType = 'TEXT' | 'EMAIL' | 'NUMBER' | 'BOOLEAN' | 'SELECT';

/** One thing that a payer is asked for, as it stands in the link. */
export interface CustomField {
  readonly key: string;
  readonly label: string;
  readonly type: CustomFieldType;
  readonly required: boolean;
  /** What to choose from; of `SELECT` alone. */
  readonly options?: readonly string[];
  /** The longest text; of `TEXT` alone. */
  readonly maxLength?: number;
  /** The least and the greatest number, as decimal texts; of `NUMBER` alone. */
  readonly min?: string;
  readonly max?: string;
}

/** One thing that a payer is to be asked for, as a merchant says it. */
export interface CustomFieldInput {
  readonly key: string;
  readonly label: string;
  readonly type: CustomFieldType;
  readonly required?: boolean | null | undefined;
  readonly options?: readonly string[] | null | undefined;
  readonly maxLength?: number | null | undefined;
  readonly min?: string | null | undefined;
  readonly max?: string | null | undefined;
}

const MOST_FIELDS = 20;
const MOST_OPTIONS = 50;
const LONGEST_TEXT = 500;
const KEY = /^[a-z][a-z0-9_]{0,39}$/;
/** A decimal that is exact in every language: no exponent. */
const NUMBER = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{1,18})?$/;

/**
 * What a payer is asked for.
 * @throws FIELDS_INVALID
 */
export function cleanCustomFields(given: readonly CustomFieldInput[]): readonly CustomField[] {
  const keys = new Set(given.map(({ key }) => key));
  if (given.length > MOST_FIELDS) throw paymentErrors.FIELDS_INVALID({ expected: `at most ${MOST_FIELDS}` });
  if (keys.size < given.length) throw paymentErrors.FIELDS_INVALID({ expected: 'each key once' });
  return given.map(cleanField);
}

function cleanField({ key, label, type, required, ...limits }: CustomFieldInput): CustomField {
  const refuse = (expected: string): Error => paymentErrors.FIELDS_INVALID({ key, expected });
  if (!KEY.test(key)) throw refuse('a key of at most 40 of a to z, 0 to 9 and _, beginning with a letter');
  const only = (name: keyof typeof limits, of: CustomFieldType): boolean => {
    if (limits[name] != null && type !== of) throw refuse(`${name} with ${of} alone`);
    return limits[name] != null;
  };
  const has = {
    options: only('options', 'SELECT'),
    maxLength: only('maxLength', 'TEXT'),
    min: only('min', 'NUMBER'),
    max: only('max', 'NUMBER'),
  };
  const options = has.options ? cleanOptions(limits.options ?? [], refuse) : undefined;
  if (type === 'SELECT' && !options) throw refuse('options to choose from');
  const { maxLength, min, max } = limits;
  if (maxLength != null && (maxLength < 1 || maxLength > LONGEST_TEXT))
    throw refuse(`a maxLength of 1 to ${LONGEST_TEXT}`);
  for (const bound of [min, max])
    if (bound != null && !NUMBER.test(bound)) throw refuse('decimal numbers as min and max');
  if (min != null && max != null && compare(min, max) > 0) throw refuse('a min that is no greater than max');
  return {
    key,
    label: cleanText(label, 'customFields.label', { max: 100 }),
    type,
    required: required ?? false,
    ...(options && { options }),
    ...(maxLength != null && { maxLength }),
    ...(min != null && { min }),
    ...(max != null && { max }),
  };
}

function cleanOptions(given: readonly string[], refuse: (expected: string) => Error): readonly string[] {
  const options = given.map((option) => cleanText(option, 'customFields.options', { max: 100 }));
  if (options.length < 1 || options.length > MOST_OPTIONS) throw refuse(`1 to ${MOST_OPTIONS} options`);
  if (new Set(options).size < options.length) throw refuse('each option once');
  return options;
}

/** What a payer said, by the key of the field. */
export type FieldValues = Readonly<Record<string, string | boolean>>;

/**
 * What a payer said, as it is kept: of each field that the link has, and nothing else; numbers stay exact as texts.
 * @throws FIELD_INVALID with the key of the field
 */
export function readFieldValues(fields: readonly CustomField[], given: Readonly<Record<string, unknown>>): FieldValues {
  const unknown = Object.keys(given).find((key) => !fields.some((field) => field.key === key));
  if (unknown !== undefined)
    throw paymentErrors.FIELD_INVALID({ key: unknown.slice(0, 60), expected: 'no such field' });
  return Object.fromEntries(
    fields.flatMap((field): [string, string | boolean][] => {
      const value = Object.hasOwn(given, field.key) ? given[field.key] : undefined;
      const said = value === undefined || value === null || value === '' ? undefined : readValue(field, value);
      if (said !== undefined) return [[field.key, said]];
      if (field.required) throw paymentErrors.FIELD_INVALID({ key: field.key, expected: 'a value' });
      return [];
    }),
  );
}

const EMAIL = /^[^\s@<>(),;:\\"[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.[A-Za-z]{2,63}$/;

function readValue(field: CustomField, value: unknown): string | boolean {
  const { key, type, options = [], maxLength = LONGEST_TEXT } = field;
  const refuse = (expected: string): Error => paymentErrors.FIELD_INVALID({ key, expected });
  if (type === 'BOOLEAN') {
    if (typeof value !== 'boolean') throw refuse('true or false');
    // a box that must be ticked
    if (field.required && !value) throw refuse('true');
    return value;
  }
  const text = type === 'NUMBER' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string') throw refuse('a text');
  if (type === 'NUMBER') return readNumber(field, text, refuse);
  if (type === 'SELECT') {
    if (!options.includes(text)) throw refuse(`one of ${options.join(', ')}`.slice(0, 500));
    return text;
  }
  if (type === 'EMAIL') {
    if (text.length > 320 || !EMAIL.test(text.trim())) throw refuse('an e-mail address');
    return text.trim();
  }
  try {
    return cleanText(text, key, { max: maxLength, multiline: true });
  } catch {
    throw refuse(`1 to ${maxLength} characters that can be seen`);
  }
}

function readNumber({ min, max }: CustomField, text: string, refuse: (expected: string) => Error): string {
  if (!NUMBER.test(text)) throw refuse('a decimal number, as a text');
  if (min !== undefined && compare(text, min) < 0) throw refuse(`at least ${min}`);
  if (max !== undefined && compare(text, max) > 0) throw refuse(`at most ${max}`);
  return text;
}

/** Compares two decimals of at most 18 places exactly. */
function compare(one: string, other: string): number {
  const difference = scaled(one) - scaled(other);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

function scaled(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const units = BigInt(whole + fraction.padEnd(18, '0'));
  return text.startsWith('-') ? -units : units;
}
