import { kernelErrors } from '../../kernel/errors.ts';
import { cleanText } from '../../kernel/text.ts';

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

/** Names that would be taken for somebody who speaks for the house, or for a place in it. */
const RESERVED = new Set(
  `about account accounts admin administrator all anonymous api app auth billing bot checkout contact demo dev everyone
  graphql help here info login logout mail me moderator null official operator owner pay payments root security settings
  sign_in sign_out staff status support sysadmin system team test tollhouse undefined unknown user users www`.split(
    /\s+/,
  ),
);
const USER_NAME = /^[A-Za-z0-9_]{3,30}$/;
const MAX_URL = 2_000;
const MAX_LANGUAGE = 35;
const MAX_PREFERENCES = 50;
const MAX_PREFERENCE = 500;
/** What PostgreSQL's JSON cannot hold: NUL, and halves of characters. */
const NOT_TEXT = /[\0\p{Cs}]/u;

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
  preferences: cleanPreferences,
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
  if (RESERVED.has(name)) throw refuse(field, 'a name that is not reserved');
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

function cleanPreferences(given: Readonly<Record<string, unknown>>, field: string): Readonly<Record<string, unknown>> {
  const entries = Object.entries(given);
  const fits = (text: string): boolean => [...text].length <= MAX_PREFERENCE && !NOT_TEXT.test(text);
  const plain = (value: unknown): boolean =>
    typeof value === 'string' ? fits(value) : typeof value === 'boolean' || Number.isFinite(value);
  if (entries.length > MAX_PREFERENCES || !entries.every(([key, value]) => fits(key) && plain(value))) {
    throw refuse(
      field,
      `at most ${MAX_PREFERENCES} keys, each and its text of at most ${MAX_PREFERENCE} characters; or numbers, booleans`,
    );
  }
  return given;
}
