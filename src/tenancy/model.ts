import { domainToASCII } from 'node:url';
import { kernelErrors } from '../kernel/errors.ts';
import { cleanDocument, cleanFlatObject, type JsonObject } from '../kernel/json.ts';
import type { Role } from '../kernel/permissions.ts';
import { cleanText } from '../kernel/text.ts';
import { tenancyErrors } from './errors.ts';

/** Slugs that would be taken for the house, or for a place in it. */
const RESERVED = new Set(
  `about account accounts admin administrator all anonymous api app assets auth billing blog checkout contact dashboard
  demo dev docs graphql health help home info internal legal login logout mail me new null official operator
  organization organizations owner pay payments privacy public register root security settings sign-in sign-out
  sign-up staff static status store support sysadmin system team terms test tollhouse undefined unknown user users
  well-known www`.split(/\s+/),
);
const SLUG = /^[a-z0-9](?:-?[a-z0-9])*$/;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const LONGEST_EMAIL = 254;

/** What an organization says of itself: what is absent stays as it is, and null takes away what may be missing. */
export interface OrganizationWords {
  readonly name?: string | null | undefined;
  readonly slug?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly contactEmail?: string | null | undefined;
  readonly address?: string | null | undefined;
  readonly metadata?: JsonObject | null | undefined;
}

/** How an organization's store looks and what it can do; each is given as a whole, and null empties it. */
export interface StoreWords {
  readonly config?: JsonObject | null | undefined;
  readonly theme?: JsonObject | null | undefined;
  readonly layout?: JsonObject | null | undefined;
  readonly features?: JsonObject | null | undefined;
}

/** What an organization says of a member: what is absent stays as it is, and null takes away what may be missing. */
export interface MemberWords {
  readonly role?: Role | null | undefined;
  /** A custom role's; whoever has one is a MEMBER besides. */
  readonly roleId?: string | null | undefined;
  readonly jobTitle?: string | null | undefined;
  readonly department?: string | null | undefined;
}

type Rules<Words> = { readonly [Field in keyof Words]-?: (value: NonNullable<Words[Field]>, field: string) => unknown };

const ORGANIZATION: Rules<OrganizationWords> = {
  name: (text, field) => cleanText(text, field, { max: 100 }),
  slug: cleanSlug,
  description: (text, field) => cleanText(text, field, { max: 2_000, multiline: true }),
  contactEmail: cleanEmail,
  address: (text, field) => cleanText(text, field, { max: 1_000, multiline: true }),
  metadata: cleanFlatObject,
};

const STORE: Rules<StoreWords> = {
  config: cleanDocument,
  theme: cleanFlatObject,
  layout: cleanDocument,
  features: cleanFeatures,
};

const MEMBER: Rules<MemberWords> = {
  role: (role) => role,
  roleId: (roleId) => roleId,
  jobTitle: (text, field) => cleanText(text, field, { max: 100 }),
  department: (text, field) => cleanText(text, field, { max: 100 }),
};

/**
 * Holds each word to the rule of its field.
 * @throws BAD_USER_INPUT with the field and what is expected of it
 */
export function cleanOrganization(words: OrganizationWords): OrganizationWords {
  for (const field of ['name', 'slug'] as const) {
    if (words[field] === null) throw refuse(field, 'a text, since no organization is without one');
  }
  return clean(words, ORGANIZATION);
}

/**
 * Holds each part to its rule.
 * @throws BAD_USER_INPUT with the field and what is expected of it
 */
export function cleanStore(words: StoreWords): StoreWords {
  return clean(words, STORE);
}

/**
 * Holds each word to its rule.
 * @throws BAD_USER_INPUT with the field and what is expected of it
 */
export function cleanMember(words: MemberWords): MemberWords {
  if (words.role === null) throw refuse('role', 'a role, since no member is without one');
  assertRoles(words);
  return clean(words, MEMBER);
}

/**
 * Lets only what a member can have pass: a built-in role, or a custom one.
 * @throws BAD_USER_INPUT
 */
export function assertRoles({ role, roleId }: Pick<MemberWords, 'role' | 'roleId'>): void {
  if (roleId != null && role != null && role !== 'MEMBER') throw refuse('roleId', 'none beside OWNER or ADMIN');
}

function clean<Words extends object>(words: Words, rules: Rules<Words>): Words {
  const given = Object.entries(rules).filter(([field]) => words[field as keyof Words] !== undefined);
  if (given.length === 0) throw refuse('input', `at least one of ${Object.keys(rules).join(', ')}`);
  return Object.fromEntries(
    given.map(([field, rule]) => {
      const value: unknown = words[field as keyof Words];
      return [field, value === null ? null : (rule as (value: unknown, field: string) => unknown)(value, field)];
    }),
  ) as Words;
}

/** What an operator sees of an organization: what it is called and how it stands, and nothing of what it has. */
export const OPERATED_COLUMNS = {
  id: true,
  name: true,
  slug: true,
  status: true,
  contactEmail: true,
  deletedAt: true,
  createdAt: true,
} as const;

const TIER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

/** Whether a subscription can be called so. */
export function isTier(text: string): boolean {
  return TIER.test(text);
}

/**
 * Why an operator does something: the organization reads it.
 * @throws BAD_USER_INPUT
 */
export function cleanReason(text: string): string {
  return cleanText(text, 'reason', { max: 500, multiline: true });
}

function refuse(field: string, expected: string): Error {
  return kernelErrors.BAD_USER_INPUT({ field, expected });
}

function cleanSlug(text: string, field: string): string {
  const slug = text.trim();
  if (!SLUG.test(slug) || slug.length < 3 || slug.length > 60) {
    throw refuse(field, '3 to 60 of a to z, 0 to 9 and single hyphens between them');
  }
  if (RESERVED.has(slug)) throw refuse(field, 'a slug that is not reserved');
  return slug;
}

function cleanEmail(text: string, field: string): string {
  const email = cleanText(text, field, { max: LONGEST_EMAIL });
  if (!EMAIL.test(email)) throw refuse(field, 'an e-mail address');
  return email;
}

function cleanFeatures(given: JsonObject, field: string): JsonObject {
  if (!Object.values(given).every((value) => typeof value === 'boolean')) throw refuse(field, 'true or false for each');
  return cleanFlatObject(given, field);
}

/** Whether a domain is one below another, such as pay.acme.com, or a whole one, such as acme.com. */
export type DomainKind = 'SUBDOMAIN' | 'CUSTOM';

/** Signs of ASCII that are in no host: what is parsed by them would be something else than was said. */
const NO_HOST = /[\0-,/:-@[-`{-\x7f]/;
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** The name of the host's record is longer than the host, and must be a name, too. */
const LONGEST_HOST = 253 - '_tollhouse.'.length;

/** Names that are kept for other uses than the internet's (RFC 6761 and its kin): nobody owns them. */
const SPECIAL = new Set(['alt', 'arpa', 'example', 'internal', 'invalid', 'local', 'localhost', 'onion', 'test']);

/**
 * A host in the one spelling that it is stored in: lower case, punycode, without a port.
 * @param own hosts of this installation, which no organization can have, nor any below them
 * @throws BAD_USER_INPUT, DOMAIN_RESERVED
 */
export function cleanHost(
  text: string,
  { kind, own }: { readonly kind: DomainKind; readonly own: readonly string[] },
): string {
  const said = text.trim();
  const host = NO_HOST.test(said) ? '' : domainToASCII(said).toLowerCase();
  if (!HOST.test(host) || host.length > LONGEST_HOST) {
    throw refuse('host', `a host such as pay.example.com, without a scheme, port or path, of at most ${LONGEST_HOST}`);
  }
  const labels = host.split('.');
  if (kind === 'SUBDOMAIN' && labels.length < 3) throw refuse('host', 'a host below another domain, for a subdomain');
  const within = own.some((each) => host === each || host.endsWith(`.${each}`));
  if (within || SPECIAL.has(labels.at(-1) ?? '')) throw tenancyErrors.DOMAIN_RESERVED({ host });
  return host;
}

/** The TXT record by which a host says whose it is. */
export function recordOf({ host, token }: { readonly host: string; readonly token: string }): {
  readonly name: string;
  readonly value: string;
} {
  return { name: `_tollhouse.${host}`, value: `tollhouse-verification=${token}` };
}

/** Until when an organization can be restored that was deleted then; afterwards it is purged. */
export function restorableUntil(deletedAt: Date, retentionDays: number): Date {
  return new Date(deletedAt.getTime() + retentionDays * 86_400_000);
}
