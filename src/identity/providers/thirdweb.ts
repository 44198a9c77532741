import { z } from 'zod';
import type { Environment } from '../../environment.ts';
import { storeAddress } from '../../kernel/address.ts';
import type { ThirdwebAccounts, ThirdwebPayload, ThirdwebProfile } from '../../ports.ts';
import { identityErrors } from '../errors.ts';

/** Beyond this thirdweb is as good as away. */
const PATIENCE_MS = 2_000;

const LONGEST_ANSWER = 100_000;

/** When trying again makes sense, in seconds. */
const RETRY_AFTER = 5;

/** What a token may be made of, and how long: it becomes a header. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** The longest name that an identity is kept under. */
const LONGEST_ID = 200;

/** What no name or address has in it: control characters, which the database cannot all hold, and halves of others. */
const NOT_TEXT = /[\p{Cc}\p{Cs}]/u;

const address = z.string().transform((text, context) => {
  const stored = storeAddress(text);
  if (stored === null) context.addIssue({ code: 'custom', message: 'must be an address' });
  return stored ?? z.NEVER;
});

const profile = z.object({
  type: z.string().regex(/^[\w.-]{1,40}$/),
  id: z.string().nullish(),
  email: z.string().nullish(),
  emailVerified: z.boolean().nullish(),
  phone: z.string().nullish(),
});

/** What `GET /v1/wallets/me` answers, as far as it is believed. */
const answered = z.object({
  result: z.object({
    address,
    smartWalletAddress: address.nullish(),
    profiles: z.array(profile).max(50),
  }),
});

/**
 * Asks thirdweb, with the secret key of the installation; null where none is set. Nothing of an answer, a token or the
 * key is ever logged.
 */
export function createThirdwebAccounts(
  environment: Pick<Environment, 'THIRDWEB_CLIENT_ID' | 'THIRDWEB_SECRET_KEY' | 'THIRDWEB_API_URL'>,
): ThirdwebAccounts | null {
  const { THIRDWEB_CLIENT_ID: clientId, THIRDWEB_SECRET_KEY: secretKey, THIRDWEB_API_URL: apiUrl } = environment;
  if (clientId === undefined || secretKey === undefined) return null;
  const url = `${apiUrl.replace(/\/+$/, '')}/v1/wallets/me`;
  return {
    async exchange(authToken) {
      if (!TOKEN.test(authToken)) throw identityErrors.THIRDWEB_TOKEN_INVALID();
      const headers = { authorization: `Bearer ${authToken}`, 'x-secret-key': secretKey, 'x-client-id': clientId };
      const { status, text } = await ask(url, headers).catch(() => {
        throw unavailable('it could not be asked in time');
      });
      if (status === 401) throw identityErrors.THIRDWEB_TOKEN_INVALID();
      if (status !== 200) throw unavailable(`it answered with status ${status}`);
      return readProfile(text);
    },
    agrees,
  };
}

/** One request, without redirects: they would carry the key to wherever they lead. */
async function ask(url: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(url, { headers, signal, redirect: 'manual' });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // leaving the loop lets go of the connection
    if (length > LONGEST_ANSWER) throw new Error('The answer is too long.');
    chunks.push(chunk);
  }
  return { status: response.status, text: Buffer.concat(chunks).toString('utf8') };
}

/**
 * What cannot be read, or says two things of one profile, is nobody's. A profile under a name that cannot be kept is left
 * out, since asking again would not help; so is a wallet without a name, which is none here until it signs.
 */
function readProfile(text: string): ThirdwebProfile {
  const { result } = parse(text);
  const profiles = new Map<string, ThirdwebProfile['profiles'][number]>();
  for (const { type: written, id, email: writtenEmail, emailVerified, phone: writtenPhone } of result.profiles) {
    const type = written.toLowerCase();
    if (!id && type === 'wallet') continue;
    if (!id) throw unavailable('a profile has no id');
    if ([...id].length > LONGEST_ID || NOT_TEXT.test(id)) continue;
    const email = readEmail(writtenEmail);
    const read = {
      type,
      id,
      email,
      emailVerified: email !== null && (type === 'email' || emailVerified === true),
      phone: readPhone(writtenPhone),
    };
    const key = `${type} ${id}`;
    const other = profiles.get(key);
    if (other && JSON.stringify(other) !== JSON.stringify(read)) throw unavailable('its answer is ambiguous');
    profiles.set(key, read);
  }
  return {
    address: result.address,
    smartWalletAddress: result.smartWalletAddress ?? null,
    profiles: [...profiles.values()],
  };
}

function parse(text: string): z.output<typeof answered> {
  try {
    return answered.parse(JSON.parse(text));
  } catch {
    throw unavailable('its answer cannot be read');
  }
}

/** Null for what is no address: it is an attribute, and the profile is the same without it. */
function readEmail(text: string | null | undefined): string | null {
  const email = text?.trim().toLowerCase() ?? '';
  return email.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(email) && !NOT_TEXT.test(email) ? email : null;
}

function readPhone(text: string | null | undefined): string | null {
  const phone = text?.replace(/[\s().-]/g, '') ?? '';
  return /^\+[1-9]\d{4,14}$/.test(phone) ? phone : null;
}

function unavailable(reason: string): Error {
  return identityErrors.THIRDWEB_UNAVAILABLE({}, { retryAfter: RETRY_AFTER, cause: new Error(`thirdweb: ${reason}.`) });
}

/**
 * thirdweb's own `verifyPayload`, without a client and so without a network: with one it would tell an analytics host
 * who signs in, and ask the chain that the payload names.
 */
async function agrees(payload: ThirdwebPayload, signature: string): Promise<boolean> {
  const { createAuth } = await import('thirdweb/auth');
  const { domain, statement, uri, version } = payload;
  // the nonce is used up already, and what is expected was held to our own terms
  const auth = createAuth({
    domain,
    login: {
      statement,
      version,
      ...(uri != null && { uri }),
      nonce: { generate: () => '', validate: () => true },
    },
  });
  // what its reader of signatures makes of a torn one is an error
  const verdict = await auth.verifyPayload({ payload: payload as never, signature }).catch(() => null);
  return verdict?.valid === true;
}
