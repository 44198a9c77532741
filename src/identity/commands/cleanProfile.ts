import { kernelErrors } from '../../kernel/errors.ts';
import { cleanFlatObject } from '../../kernel/json.ts';
import { cleanText } from '../../kernel/text.ts';
import { RESERVED_USER_NAMES } from '../model.ts';

/** What a user says of itself: what is absent stays as it is, and null takes it away. */
export interface ProfileInput {
  readonly displayName?: string | null | undefined;
  readonly avatarUrl?: string | null | undefined;
  readonly userName?: string | null | undefined;
  readonly givenName?: string | null | undefined;
  readonly familyName?: string | null | undefined;
  readonly bio?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly language?: string | null | undefined;
  readonly preferences?: Readonly<Record<string, unknown>> | null | undefined;
}

/** The same as it is stored. */
export interface CleanProfile extends Omit<ProfileInput, 'displayName' | 'preferences'> {
  readonly displayName?: string | undefined;
  readonly preferences?: Readonly<Record<string, string | number | boolean>> | undefined;
}

const USER_NAME = /^[A-Za-z0-9_]{3,30}$/;
const MAX_URL = 2_000;
const MAX_LANGUAGE = 35;

type Clean<Value> = (value: Value, field: string) => Value;

const CLEAN: { readonly [Field in keyof ProfileInput]-?: Clean<NonNullable<ProfileInput[Field]>> } = {
  displayName: (text, field) => cleanText(text, field, { max: 100 }),
  avatarUrl: cleanUrl,
  userName: cleanUserName,
  givenName: (text, field) => cleanText(text, field, { max: 100 }),
  familyName: (text, field) => cleanText(text, field, { max: 100 }),
  bio: (text, field) => cleanText(text, field, { max: 2_000, multiline: true }),
  timeZone: cleanTimeZone,
  language: cleanLanguage,
  preferences: cleanFlatObject,
};

/**
 * Holds each word to the rules of its field, and brings it into the one spelling that it is stored in.
 * @throws BAD_USER_INPUT with the field and what is expected of it
 */
export function cleanProfile(input: ProfileInput): CleanProfile {
  if (input.displayName === null) throw refuse('displayName', '1 to 100 characters, since others see it');
  const clean = Object.entries(CLEAN).flatMap(([field, rule]): [string, unknown][] => {
    const value = input[field as keyof ProfileInput];
    if (value === undefined) return [];
    return [[field, value === null ? null : (rule as Clean<unknown>)(value, field)]];
  });
  const profile = Object.fromEntries(clean);
  return profile.preferences === null ? { ...profile, preferences: {} } : profile;
}

function refuse(field: string, expected: string): Error {
  return kernelErrors.BAD_USER_INPUT({ field, expected });
}

function cleanUserName(text: string, field: string): string {
  // before it is put in lower case, since some letters of other scripts become a Latin one there
  if (!USER_NAME.test(text.trim())) throw refuse(field, '3 to 30 letters from a to z, digits and underscores');
  const name = text.trim().toLowerCase();
  if (RESERVED_USER_NAMES.has(name)) throw refuse(field, 'a name that is not reserved');
  return name;
}

function cleanUrl(text: string, field: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.href.length > MAX_URL) {
    throw refuse(field, `an https:// URL of at most ${MAX_URL} characters, without a user or password`);
  }
  return url.href;
}

/** Names of the database alone: newer engines would also take an offset, which knows no summer. */
function cleanTimeZone(text: string, field: string): string {
  const name = text.trim();
  try {
    if (!/^[A-Za-z]/.test(name)) throw new RangeError(name);
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    // The engine calls some zones by their old names; those keep the name that they were given by.
    return known.toLowerCase() === name.toLowerCase() ? known : name;
  } catch {
    throw refuse(field, 'a name of the IANA time zone database, such as Europe/Lisbon');
  }
}

function cleanLanguage(text: string, field: string): string {
  try {
    const [tag = ''] = Intl.getCanonicalLocales(text.trim());
    if (tag.length > MAX_LANGUAGE) throw new RangeError(tag);
    return tag;
  } catch {
    throw refuse(field, `a language tag of BCP 47, such as pt-BR, of at most ${MAX_LANGUAGE} characters`);
  }
}
