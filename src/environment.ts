import { createPrivateKey, createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { chainSettings } from './kernel/chainSetting.ts';

const seconds = (fallback: number): z.ZodType<number> => z.coerce.number().int().positive().default(fallback);
const count = seconds;
const flag = z
  .enum(['0', '1'])
  .default('0')
  .transform((value) => value === '1');
const postgresUrl = z
  .string()
  .refine((url) => /^postgres(ql)?:/.test(url) && URL.canParse(url), 'must be a postgres:// URL');
const httpUrl = z.string().regex(/^https?:\/\/[^/\s]+/, 'must be an http(s):// URL');

/** GraphQL shows a chain's id as an Int. */
const chainId = z.number().int().positive().max(2_147_483_647);

/** A chain that payments are taken on, as `CHAINS` describes it. */
export type ChainSetting = z.output<typeof chainSettings>[number];

const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const signingKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1).max(100),
  x: z.string().min(1),
  d: z.string().min(1),
});

/** An Ed25519 key, private part included, as a JSON Web Key. */
export type SigningKey = z.infer<typeof signingKey>;

const signingKeys = z
  .array(
    signingKey.refine(({ x, d }) => openPartOf(d) === x, {
      message: 'd must be an Ed25519 key, and x the open part of it',
    }),
  )
  .min(1)
  .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, 'two keys have the same kid');

function openPartOf(d: string): string | undefined {
  try {
    // The x is asked for and not looked at.
    const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x: d, d }, format: 'jwk' });
    return createPublicKey(key).export({ format: 'jwk' }).x;
  } catch {
    return undefined;
  }
}

/** An address of the internet, perhaps with a port; of IPv6 then in brackets. */
function isServer(server: string): boolean {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(server) ?? [];
  return isIP(bracketed ?? plain ?? server) !== 0;
}

function isSmtpUrl(text: string): boolean {
  return /^smtps?:\/\/[^/?#]+\/?$/.test(text) && URL.canParse(text) && new URL(text).hostname !== '';
}

const origins = z
  .string()
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .pipe(
    z
      .array(
        z
          .url()
          .refine(
            (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
            'must be origins such as https://app.example',
          ),
      )
      .min(1),
  );

const addresses = z
  .string()
  .transform((text) => text.split(',').map((address) => address.trim().toLowerCase()))
  .pipe(z.array(z.string().regex(/^0x[0-9a-f]{40}$/, 'must be addresses such as 0x4e59…')).min(1));

/** The factories that thirdweb deploys accounts by unless told otherwise, for EntryPoint 0.6 and 0.7. */
const THIRDWEB_FACTORIES = [
  '0x85e23b94e7f5e9cc1ff78bce78cfb15b81f0df00',
  '0x4be0ddfebca9a5a4a617dee4dece99e7c862dceb',
] as const;

/** Every variable, with the default that holds outside production; `.env.example` explains each. */
const variables = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  PUBLIC_URL: httpUrl.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),

  DATABASE_URL: postgresUrl.optional(),
  DATABASE_OWNER_URL: postgresUrl.optional(),
  OPERATOR_DATABASE_URL: postgresUrl.optional(),
  DATABASE_POOL_MIN: z.coerce.number().int().min(0).default(2),
  DATABASE_POOL_MAX: count(10),
  DATABASE_STATEMENT_TIMEOUT_SECONDS: seconds(15),
  DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS: seconds(30),

  SIGN_IN_ORIGINS: origins.optional(),
  SIGN_IN_STATEMENT: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9 \-._~:/?#[\]@!$&'()*+,;=]+$/, 'must keep to the characters that EIP-4361 allows')
    .default('Sign in to Tollhouse.'),
  SIGN_IN_CHAIN_IDS: z
    .string()
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(chainId).min(1))
    .optional(),
  ERC6492_FACTORIES: addresses.optional(),
  THIRDWEB_CLIENT_ID: z.string().min(1).optional(),
  THIRDWEB_SECRET_KEY: z.string().min(1).optional(),
  THIRDWEB_API_URL: httpUrl.default('https://api.thirdweb.com'),
  THIRDWEB_ACCOUNT_FACTORIES: addresses.default([...THIRDWEB_FACTORIES]),
  SIGN_UP: z.enum(['open', 'invite-only']).default('open'),
  TOKEN_KEYS: json(signingKeys).optional(),
  ACCESS_TOKEN_SECONDS: z.coerce.number().int().min(30).max(600).default(600),
  SESSION_DAYS: z.coerce.number().int().min(1).max(30).default(30),
  COOKIES: flag,

  DNS_SERVERS: z
    .string()
    .transform((text) => text.split(',').map((server) => server.trim()))
    .pipe(z.array(z.string().refine(isServer, 'must be addresses such as 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53')))
    .optional(),

  INVITATION_DAYS: z.coerce.number().int().min(1).max(90).default(7),
  ORGANIZATION_RETENTION_DAYS: z.coerce.number().int().min(1).max(3_650).default(30),
  SUBSCRIPTION_DEFAULT_TIER: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'must be 1 to 40 of letters, digits, - and _')
    .default('FREE'),
  SUBSCRIPTION_DEFAULT_MAX_MEMBERS: z.coerce.number().int().min(1).max(1_000_000).optional(),
  SUBSCRIPTION_DEFAULT_MAX_LINKS: z.coerce.number().int().min(0).max(1_000_000).optional(),

  SMTP_URL: z
    .string()
    .refine(isSmtpUrl, 'must be a URL such as smtps://user:password@mail.example or smtp://127.0.0.1:1025')
    .optional(),
  MAIL_FROM: z
    .string()
    .regex(
      /^(?:[^<>"@,;\p{Cc}]{1,100} <[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/u,
      'must be a@b.example or Name <a@b.example>',
    )
    .optional(),
  TOLLHOUSE_UNSAFE_SMTP_WITHOUT_TLS: flag,

  CHAINS: json(chainSettings).optional(),
  ANVIL_BIN: z.string().min(1).optional(),

  LIMIT_CHALLENGES_PER_MINUTE: count(10),
  LIMIT_SIGN_INS_PER_MINUTE: count(10),
  LIMIT_SIGN_INS_PER_ORGANIZATION_PER_MINUTE: count(300),
  LIMIT_DOMAIN_CHECKS_PER_ORGANIZATION_PER_MINUTE: count(20),
  LIMIT_INVITATIONS_PER_ORGANIZATION_PER_HOUR: count(100),
  LIMIT_SESSIONS_PER_USER: count(100),
  LIMIT_REFRESHES_PER_CLIENT_PER_MINUTE: count(300),
  LIMIT_ORGANIZATIONS_PER_USER_PER_DAY: count(20),
  LIMIT_EMAIL_CODES_PER_HOUR: count(3),
  LIMIT_EMAIL_CODES_PER_CLIENT_PER_HOUR: count(20),
  LIMIT_EMAIL_TRIES_PER_HOUR: count(5),
  LIMIT_EMAIL_TRIES_PER_CLIENT_PER_HOUR: count(30),
  LOCKOUT_AFTER_FAILURES: z.coerce.number().int().min(1).max(1_000_000).default(5),
  LOCKOUT_CLIENT_FACTOR: z.coerce.number().int().min(1).max(1_000).default(10),
  LOCKOUT_SECONDS: z.coerce.number().int().min(1).max(86_400).default(30),
  LOCKOUT_MAX_SECONDS: z.coerce.number().int().min(1).max(86_400).default(3600),
  LIMIT_OPEN_ORDERS_PER_CLIENT: count(20),
  LIMIT_ORDERS_PER_ORGANIZATION_PER_MINUTE: count(600),
  LIMIT_STREAMS_PER_SESSION: count(10),
  LIMIT_STREAMS_PER_CLIENT: count(100),
  LIMIT_DOCUMENT_BYTES: count(100_000),
  LIMIT_DOCUMENT_TOKENS: count(5_000),
  LIMIT_DOCUMENT_DEPTH: count(15),
  LIMIT_DOCUMENT_ALIASES: count(50),
  LIMIT_DOCUMENT_ROWS: count(10_000),
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: flag,
  TOLLHOUSE_UNSAFE_SEED: flag,
});

/** The environment, parsed once; everything else asks this. */
export type Environment = z.output<typeof variables> & { readonly production: boolean };

/** The names of all variables that the environment may set. */
export const VARIABLES: readonly string[] = Object.keys(variables.shape);

/** What production cannot start without: nothing is embedded, made up or left open there. */
const REQUIRED_IN_PRODUCTION = ['DATABASE_URL', 'PUBLIC_URL', 'SIGN_IN_ORIGINS', 'TOKEN_KEYS', 'CHAINS'] as const;

/** All that is wrong with the environment, told at once. */
export class EnvironmentError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The environment is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'EnvironmentError';
  }
}

/**
 * Reads and checks the environment.
 * @throws EnvironmentError with every fault, not only the first
 */
export function readEnvironment(source: Readonly<Record<string, string | undefined>>): Environment {
  const given = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = variables.safeParse(given);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (given.NODE_ENV === 'production') {
    faults.push(
      ...REQUIRED_IN_PRODUCTION.filter((name) => !given[name]).map((name) => `${name}: required in production`),
    );
    if (given.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS === '1') {
      faults.push('TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: refused in production');
    }
  }
  if (parsed.success && parsed.data.DATABASE_POOL_MIN > parsed.data.DATABASE_POOL_MAX) {
    faults.push('DATABASE_POOL_MIN: must not be more than DATABASE_POOL_MAX');
  }
  if (parsed.success && parsed.data.LOCKOUT_SECONDS > parsed.data.LOCKOUT_MAX_SECONDS) {
    faults.push('LOCKOUT_SECONDS: must not be more than LOCKOUT_MAX_SECONDS');
  }
  if (given.SMTP_URL && !given.MAIL_FROM) faults.push('MAIL_FROM: required when SMTP_URL is set');
  if (given.THIRDWEB_CLIENT_ID && !given.THIRDWEB_SECRET_KEY) {
    faults.push('THIRDWEB_SECRET_KEY: required when THIRDWEB_CLIENT_ID is set');
  }
  if (given.THIRDWEB_SECRET_KEY && !given.THIRDWEB_CLIENT_ID) {
    faults.push('THIRDWEB_CLIENT_ID: required when THIRDWEB_SECRET_KEY is set');
  }
  if (given.NODE_ENV === 'production' && /^http:/i.test(given.THIRDWEB_API_URL ?? '')) {
    faults.push('THIRDWEB_API_URL: must be https in production');
  }
  if (given.DATABASE_OWNER_URL && !given.DATABASE_URL) {
    faults.push('DATABASE_URL: required when DATABASE_OWNER_URL is set');
  }
  if (given.OPERATOR_DATABASE_URL && !given.DATABASE_URL) {
    faults.push('DATABASE_URL: required when OPERATOR_DATABASE_URL is set');
  }
  if (!parsed.success || faults.length > 0) throw new EnvironmentError(faults);
  return { ...parsed.data, production: parsed.data.NODE_ENV === 'production' };
}
