import { failure } from './tollhouseError.ts';

/** A webhook as it arrived. */
export interface ReceivedWebhook {
  /** The endpoint's secret, `whsec_…`; all that are good, while it is being changed. */
  readonly secret: string | readonly string[];
  /** The request's headers, as `Headers` or as Node's `request.headers`. */
  readonly headers: WebhookHeaders;
  /** The body's bytes exactly as they came: JSON that was parsed and written again has other bytes. */
  readonly body: Uint8Array | ArrayBuffer | string;
}

/** Headers in one of the shapes that servers have them in. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A webhook that its sender has signed, and just now. */
export interface VerifiedWebhook {
  /** Equal each time that the same is sent: who has dealt with it answers 204 and does nothing. */
  readonly id: string;
  /** When it was sent, this time. */
  readonly sentAt: Date;
  /** What the body says. */
  readonly payload: unknown;
}

/** Who keeps a webhook back, or has a copy of an old one, gains nothing by it. */
const TOLERANCE_S = 300;

const ENCODER = new TextEncoder();

/**
 * Checks that a webhook comes from the gateway, unchanged, and not more than five minutes ago: Standard Webhooks, over
 * the raw bytes. Every signature is tried with every secret, in constant time, by the platform's own HMAC.
 * @throws WEBHOOK_INVALID
 */
export async function verifyWebhook({ secret, headers, body }: ReceivedWebhook): Promise<VerifiedWebhook> {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (!id || !timestamp || !signatures) throw invalid('a header is missing');
  // Its end would pass for the time's beginning.
  if (id.includes('.')) throw invalid('the id has a point');
  if (!/^\d{1,12}$/.test(timestamp)) throw invalid('the time is none');
  const sentAt = Number(timestamp) * 1000;
  if (Math.abs(Date.now() - sentAt) > TOLERANCE_S * 1000) throw invalid('the time is too far away');
  const bytes = bytesOf(body);
  const signed = concatenate(ENCODER.encode(`${id}.${timestamp}.`), bytes);
  if (!(await isSigned(signed, readSignatures(signatures), keysOf(secret)))) throw invalid('no signature fits');
  return { id, sentAt: new Date(sentAt), payload: parsePayload(bytes) };
}

function invalid(reason: string, cause?: unknown): Error {
  return failure('WEBHOOK_INVALID', { facts: { reason }, cause });
}

/** A header that came twice is none: nobody knows which of them was checked. */
function headerOf(headers: WebhookHeaders, name: string): string | null {
  if (typeof headers.get === 'function') return headers.get(name);
  const values = Object.entries(headers).filter(([key]) => key.toLowerCase() === name);
  const [, value] = values.length === 1 ? (values[0] ?? []) : [];
  return typeof value === 'string' ? value : null;
}

function bytesOf(body: ReceivedWebhook['body']): Uint8Array {
  if (typeof body === 'string') return ENCODER.encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw new TypeError('verifyWebhook needs the raw body: bytes, or the text exactly as it came.');
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

const PREFIX = 'whsec_';
const SHORTEST_KEY = 16;

/** @throws TypeError for what is no secret: a fault of who calls, and not of who sends */
function keysOf(secret: string | readonly string[]): Uint8Array<ArrayBuffer>[] {
  const keys = [secret].flat().map((one) => decodeBase64(one.startsWith(PREFIX) ? one.slice(PREFIX.length) : one));
  const good = keys.filter((key) => key !== null && key.length >= SHORTEST_KEY);
  if (good.length === 0 || good.length < keys.length) {
    throw new TypeError('A webhook’s secret is `whsec_` and the base64 of 16 bytes or more, as it was shown once.');
  }
  return good as Uint8Array<ArrayBuffer>[];
}

/** Rotation signs twice; more than a few are somebody's who wants us to work. */
const MOST_SIGNATURES = 16;

function readSignatures(header: string): Uint8Array<ArrayBuffer>[] {
  return header
    .split(' ', MOST_SIGNATURES)
    .map((one) => (one.startsWith('v1,') ? decodeBase64(one.slice(3)) : null))
    .filter((one) => one !== null);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Nothing is left untried, so that the time tells nobody which one fits. */
async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  signatures: readonly Uint8Array<ArrayBuffer>[],
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const checks = keys.map(async (bytes) => {
    const key = await subtle.importKey('raw', bytes, hmac, false, ['verify']);
    return Promise.all(signatures.map((signature) => subtle.verify('HMAC', key, signature, signed)));
  });
  return (await Promise.all(checks)).flat().includes(true);
}

function parsePayload(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('the body is no JSON', cause);
  }
}
