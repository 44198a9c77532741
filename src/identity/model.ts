import { ParsedMessage } from '@spruceid/siwe-parser';
import { type StoredAddress, showAddress, storeAddress } from '../kernel/address.ts';
import { sha256 } from '../kernel/digest.ts';
import type { GatewayError } from '../kernel/errors.ts';
import { isUuid } from '../kernel/ids.ts';
import type { ThirdwebPayload } from '../ports.ts';
import { identityErrors } from './errors.ts';

/** Who vouches for an externally owned account: it is one identity on all chains of this family. */
export const EOA_ISSUER = 'eip155';

/** Who vouches for an e-mail address that was proved here: we do. */
export const EMAIL_ISSUER = 'email';

/** What stands behind a wallet's address. */
export type WalletKind = 'EOA' | 'CONTRACT' | 'EOA_7702';

/** What a challenge was given out for; one for one purpose never passes for another. */
export type ChallengePurpose = 'SIGN_IN' | 'LINK' | 'STEP_UP';

/** Where a wallet comes from; a label, that nothing depends on. */
export type WalletSource = 'EXTERNAL' | 'THIRDWEB_IN_APP' | 'THIRDWEB_SMART';

/** A challenge can be answered for this long. */
export const CHALLENGE_SECONDS = 300;

/** A proof of a wallet is fresh for this long: so long may a session change who can sign in. */
export const FRESH_SECONDS = 600;

/** A ticket to merge with another user can be used for this long. */
export const MERGE_TICKET_SECONDS = 600;

/** A spent refresh token still yields its successor for this long, for lost answers and many tabs. */
export const REFRESH_GRACE_SECONDS = 10;

const MAX_MESSAGE_BYTES = 4096;
const MAX_SIGNATURE_BYTES = 16_384;
const MAX_AGE_MS = 300_000;
const MAX_AHEAD_MS = 60_000;

/** A Sign-In with Ethereum message (EIP-4361), as its text says. Times are as they were written. */
export interface SiweMessage {
  readonly scheme: string | undefined;
  readonly domain: string;
  readonly address: StoredAddress;
  readonly uri: string;
  readonly chainId: number;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expirationTime: string | undefined;
  readonly notBefore: string | undefined;
  readonly resources: readonly string[];
}

/**
 * The text that a wallet is asked to sign. Times are milliseconds since 1970, the address carries its EIP-55 checksum.
 * Written here, because viem's own writer refuses hosts that the grammar allows: IPv6 addresses and single labels.
 */
export function writeSiweMessage(terms: {
  readonly origin: string;
  readonly address: string;
  readonly chainId: number;
  readonly nonce: string;
  readonly statement: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}): string {
  return [
    `${new URL(terms.origin).host} wants you to sign in with your Ethereum account:`,
    terms.address,
    '',
    terms.statement,
    '',
    `URI: ${terms.origin}`,
    'Version: 1',
    `Chain ID: ${terms.chainId}`,
    `Nonce: ${terms.nonce}`,
    `Issued At: ${new Date(terms.issuedAt).toISOString()}`,
    `Expiration Time: ${new Date(terms.expiresAt).toISOString()}`,
  ].join('\n');
}

/** Step 1: the text by the strict grammar of EIP-4361, within its size; null when it is not such a text. */
export function readSiweMessage(text: string, signature: string): SiweMessage | null {
  if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES || signature.length > 2 + 2 * MAX_SIGNATURE_BYTES) return null;
  const ready = readReadyMessage(text);
  if (ready) return ready;
  try {
    const { version, resources, address, ...message } = new ParsedMessage(text);
    const stored = storeAddress(address);
    return version === '1' && stored ? { ...message, address: stored, resources: resources ?? [] } : null;
  } catch {
    return null;
  }
}

const NAMED_HOST = '(?:[A-Za-z0-9-]+\\.)*[A-Za-z][A-Za-z0-9-]*(?::(?:\\d{1,4}|[1-5]\\d{4}))?';
const READY_MESSAGE = new RegExp(
  [
    `^(?<domain>${NAMED_HOST}) wants you to sign in with your Ethereum account:`,
    '(?<address>0x[0-9a-fA-F]{40})',
    '',
    "[A-Za-z0-9 \\-._~:/?#[\\]@!$&'()*+,;=]+",
    '',
    `URI: (?<uri>https?://${NAMED_HOST})`,
    'Version: 1',
    'Chain ID: (?<chainId>[1-9]\\d{0,14})',
    'Nonce: (?<nonce>[0-9a-f]{32})',
    'Issued At: (?<issuedAt>[-:.TZ\\d]{24})',
    'Expiration Time: (?<expirationTime>[-:.TZ\\d]{24})$',
  ].join('\n'),
);

/**
 * A text as `writeSiweMessage` writes it, at an origin with a name; null for all others, the good ones among them. Nearly
 * all texts are such ones, and the grammar takes a quarter of the time of signing in.
 */
function readReadyMessage(text: string): SiweMessage | null {
  const { domain, address, uri, chainId, nonce, issuedAt, expirationTime } = READY_MESSAGE.exec(text)?.groups ?? {};
  if (!domain || !address || !uri || !nonce || !issuedAt || !expirationTime) return null;
  if (showAddress(address) !== address || !isWritten(issuedAt) || !isWritten(expirationTime)) return null;
  const stored = address.toLowerCase() as StoredAddress;
  const terms = { domain, address: stored, uri, chainId: Number(chainId), nonce, issuedAt, expirationTime };
  return { ...terms, scheme: undefined, notBefore: undefined, resources: [] };
}

/** Whether a time is written as JavaScript writes it, which knows no 30th of February. */
function isWritten(time: string): boolean {
  const moment = Date.parse(time);
  return Number.isFinite(moment) && new Date(moment).toISOString() === time;
}

/** A wallet that was just proved, and the identity that it is. */
export interface ProvedWallet extends Pick<SiweMessage, 'address' | 'chainId'> {
  /** The page that it was proved on; null when that was not said. */
  readonly domain: string | null;
  readonly kind: WalletKind;
  readonly source: WalletSource;
  /** Who vouches for the subject: `eip155` for an account of its own key, on all chains; else `eip155:<chain id>`. */
  readonly issuer: string;
  /** The address in lower case. */
  readonly subject: string;
  /** What a contract wallet is asked about again when its session is refreshed; null for an account of its own key. */
  readonly proof: SignedText | null;
  /** Whether it signed something in this request; else somebody vouches for it, and a session of it is no fresh proof. */
  readonly isSigned: boolean;
  /** What was proved together with it, and is added to its user, unless somebody has it, by signing up or linking. */
  readonly beside: readonly ProvedIdentity[];
}

/** A further identity of whoever has just proved a wallet, as somebody vouches who was asked in this request. */
export interface ProvedIdentity {
  readonly kind: 'WALLET' | 'EMAIL' | 'PHONE' | 'SOCIAL';
  readonly issuer: string;
  readonly subject: string;
  /** Of a contract that the wallet controls; null of what is no wallet, and so is the chain. */
  readonly address: string | null;
  readonly chainId: number | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly phone: string | null;
}

/** What a wallet hands over to prove itself. */
export interface SignedText {
  readonly message: string;
  readonly signature: string;
}

/** What a message is held against. */
export interface SignInPolicy {
  readonly origins: readonly string[];
  readonly chainIds: readonly number[];
  /** The `Origin` header, when there was one. */
  readonly origin: string | null;
  /** The domain that the challenge was bound to, when it was. */
  readonly challengeDomain: string | null;
  readonly challengeChainId: number | null;
  /** Milliseconds since 1970, by the database's clock. */
  readonly now: number;
}

/** Steps 2 to 4: domain and URI, chain, times. The first that fails is the answer; null when all hold. */
export function refusalOf(message: SiweMessage, policy: SignInPolicy): GatewayError | null {
  return refusalOfDomain(message, policy) ?? refusalOfChain(message, policy) ?? refusalOfTimes(message, policy.now);
}

function refusalOfDomain(message: SiweMessage, policy: SignInPolicy): GatewayError | null {
  const { domain, scheme } = message;
  const allowed = policy.origins.filter((origin) => {
    const { host, protocol } = new URL(origin);
    return host === domain && (scheme === undefined || protocol === `${scheme}:`);
  });
  const agrees =
    (policy.challengeDomain === null || policy.challengeDomain === domain) &&
    (policy.origin === null || allowed.includes(policy.origin));
  if (allowed.length === 0 || !agrees) return identityErrors.SIWE_DOMAIN_MISMATCH({ domain });
  if (!allowed.includes(originOf(message.uri))) return identityErrors.SIWE_URI_MISMATCH({ uri: message.uri });
  return null;
}

function originOf(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).origin : '';
}

function refusalOfChain({ chainId }: SiweMessage, policy: SignInPolicy): GatewayError | null {
  const allowed = policy.chainIds.includes(chainId);
  const agrees = policy.challengeChainId === null || policy.challengeChainId === chainId;
  return allowed && agrees ? null : identityErrors.SIWE_CHAIN_NOT_ALLOWED({ chainId });
}

function refusalOfTimes(message: SiweMessage, now: number): GatewayError | null {
  const issuedAt = Date.parse(message.issuedAt);
  if (!(issuedAt >= now - MAX_AGE_MS && issuedAt <= now + MAX_AHEAD_MS)) {
    return identityErrors.SIWE_ISSUED_AT({ issuedAt: message.issuedAt });
  }
  if (message.expirationTime !== undefined && !(now < Date.parse(message.expirationTime))) {
    return identityErrors.SIWE_EXPIRED({ expirationTime: message.expirationTime });
  }
  if (message.notBefore !== undefined && !(now >= Date.parse(message.notBefore))) {
    return identityErrors.SIWE_NOT_YET_VALID({ notBefore: message.notBefore });
  }
  return null;
}

/** What a refresh token says of itself; the secret alone makes it good. */
export interface RefreshToken {
  readonly sessionId: string;
  /** How many tokens of this session came before it. */
  readonly generation: number;
  readonly secret: string;
}

const PREFIX = 'th_rt_';
const REFRESH_TOKEN = /^th_rt_([0-9a-f-]{36})\.(0|[1-9]\d{0,8})\.([A-Za-z0-9_-]{43})$/;

/** A refresh token as the client holds it. */
export function writeRefreshToken({ sessionId, generation, secret }: RefreshToken): string {
  return `${PREFIX}${sessionId}.${generation}.${secret}`;
}

/** The parts of a refresh token, or null when the text is not one. */
export function readRefreshToken(text: string): RefreshToken | null {
  const [, sessionId = '', generation = '', secret = ''] = text.length <= 200 ? (REFRESH_TOKEN.exec(text) ?? []) : [];
  return isUuid(sessionId) ? { sessionId, generation: Number(generation), secret } : null;
}

/** How a wallet is called until its user chooses a name. */
export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

/**
 * The identity of a wallet: an account of its own key is one on all chains, a contract one on its chain.
 * @param signed what it was proved by
 */
export function provedWallet(
  siwe: Pick<SiweMessage, 'address' | 'domain' | 'chainId'>,
  kind: WalletKind,
  signed: SignedText | null = null,
  source: WalletSource = 'EXTERNAL',
): ProvedWallet {
  const { address, domain, chainId } = siwe;
  const contract = kind === 'CONTRACT';
  const issuer = contract ? `${EOA_ISSUER}:${chainId}` : EOA_ISSUER;
  const proof = contract ? signed : null;
  return { address, domain, chainId, kind, source, issuer, subject: address, proof, isSigned: true, beside: [] };
}

/**
 * What failures to prove a wallet are counted by. Never the wallet alone: from an address of their own, anybody could
 * keep its owner out then.
 */
export function failureKeys(
  client: string,
  address: string | null,
): { readonly client: Buffer; readonly pair: Buffer } {
  return {
    client: sha256(`failures of client ${client}`),
    pair: sha256(`failures of client ${client} with wallet ${address ?? ''}`),
  };
}

/** What failures and attempts with a token are counted by, where the wallet is not known yet. */
export function countedAs(authToken: string): string {
  return `token ${sha256(authToken).toString('hex')}`;
}

/**
 * A name in the characters that EIP-4361 allows in a statement, without quotes: accents are taken off, and what is left
 * of other writing is dropped.
 */
export function plainWords(text: string): string {
  return text
    .replaceAll('…', '...')
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9 \-._~:/?#[\]@!$&()*+,;=]/g, '')
    .replace(/ +/g, ' ')
    .trim();
}

/**
 * A ready text of ours in thirdweb's words. Its `Not Before` is as long before it was issued as it is good afterwards,
 * as thirdweb's own libraries have it.
 */
export function thirdwebPayloadOf(ready: string): ThirdwebPayload {
  const [header = '', address = '', , statement = '', , ...lines] = ready.split('\n');
  const [uri = '', version = '', chain_id = '', nonce = '', issued_at = '', expiration_time = ''] = lines.map((line) =>
    line.replace(/^[A-Za-z ]+: /, ''),
  );
  const invalid_before = beforeAsLong(issued_at, expiration_time) ?? '';
  const domain = header.replace(/ wants you to sign in with your Ethereum account:$/, '');
  return { domain, address, statement, uri, version, chain_id, nonce, issued_at, expiration_time, invalid_before };
}

/**
 * The text of EIP-4361 that a payload stands for, by thirdweb's own rule; null for one that it stands for no longer than
 * until a line is broken, or that thirdweb does not judge: it asks for a statement, and for times that can be read.
 */
export function writeThirdwebMessage(payload: ThirdwebPayload): string | null {
  const { domain, address, statement, uri, version, chain_id, nonce, resources, ...times } = payload;
  const { issued_at, expiration_time, invalid_before } = times;
  const written = [domain, address, statement, uri ?? '', version, chain_id ?? '', nonce, ...(resources ?? [])];
  const broken = [...written, ...Object.values(times)].some((text) => /[\p{Cc}\u2028\u2029]/u.test(text));
  const timeless = [issued_at, expiration_time, invalid_before].some((time) => Number.isNaN(Date.parse(time)));
  if (broken || timeless || statement === '') return null;
  return [
    `${domain} wants you to sign in with your Ethereum account:`,
    address,
    '',
    statement,
    '',
    ...(uri ? [`URI: ${uri}`] : []),
    `Version: ${version}`,
    ...(chain_id ? [`Chain ID: ${chain_id}`] : []),
    `Nonce: ${nonce}`,
    `Issued At: ${issued_at}`,
    `Expiration Time: ${expiration_time}`,
    `Not Before: ${invalid_before}`,
    ...(resources ? ['Resources:', ...resources.map((resource) => `- ${resource}`)] : []),
  ].join('\n');
}

/** The challenge's ready text, if the message is that one in thirdweb's words. */
export function readyTextOf(message: string, payload: ThirdwebPayload): string | undefined {
  const { issued_at, expiration_time, invalid_before } = payload;
  const added = `\nNot Before: ${invalid_before}`;
  if (!message.endsWith(added) || invalid_before !== beforeAsLong(issued_at, expiration_time)) return undefined;
  return message.slice(0, -added.length);
}

/** As long before the first moment as the second is after it; null where one of them is none. */
function beforeAsLong(moment: string, later: string): string | null {
  const before = 2 * Date.parse(moment) - Date.parse(later);
  return Number.isFinite(before) && Math.abs(before) <= 8.64e15 ? new Date(before).toISOString() : null;
}

/** Names that would be taken for somebody who speaks for the house, or for a place in it; the database refuses them, too. */
export const RESERVED_USER_NAMES: ReadonlySet<string> = new Set(
  `about account accounts admin administrator all anonymous api app auth billing bot checkout contact demo dev everyone
  graphql help here info login logout mail me moderator null official operator owner pay payments root security settings
  sign_in sign_out staff status support sysadmin system team test tollhouse undefined unknown user users www`.split(
    /\s+/,
  ),
);
