import { mutate, type Outcome } from '../identity/linker.ts';
import { codeOf } from '../identity/visitor.ts';
import type { Answer, TestTollhouse } from '../support/tollhouse.ts';

/** An API key as the API shows it. */
export interface KeySeen {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly description: string | null;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdBy: { readonly id: string } | null;
  readonly responsible: { readonly id: string } | null;
  readonly expiresAt: string | null;
  readonly allowedAddresses: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly monthlyLimit: number | null;
  readonly requestsThisMonth: number | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

/** All that the API shows of a key. */
export const KEY = `id kind name description prefix scopes status createdBy { id } responsible { id } expiresAt
  allowedAddresses allowedOrigins monthlyLimit requestsThisMonth lastUsedAt revokedAt`;

/** What a mutation of keys answers. */
export interface KeyChanged {
  readonly apiKey: KeySeen;
  readonly key?: string | null;
  readonly replayed: boolean;
}

/** What a key is made with, unless a test says otherwise. */
const PLAIN = { kind: 'SERVICE', name: 'Till', scopes: ['organization:read', 'payment-links:read'] };

export function createKey(
  house: TestTollhouse,
  token: string,
  input: object = {},
  headers: Record<string, string> = {},
): Promise<Outcome<KeyChanged>> {
  return mutate(house, token, 'createApiKey', { ...PLAIN, ...input }, `apiKey { ${KEY} } key replayed`, headers);
}

/** A key that is good, with its text and its global id. */
export async function makeKey(
  house: TestTollhouse,
  token: string,
  input: object = {},
): Promise<{ readonly text: string; readonly id: string }> {
  const { code, data } = await createKey(house, token, input);
  if (!data?.key) throw new Error(`No key: ${code}`);
  return { text: data.key, id: data.apiKey.id };
}

export function changeKey(
  house: TestTollhouse,
  token: string,
  field: 'updateApiKey' | 'revokeApiKey' | 'confirmApiKey',
  input: object,
): Promise<Outcome<KeyChanged>> {
  return mutate(house, token, field, input, `apiKey { ${KEY} } replayed`);
}

/** Asks for the organization's name with a key. */
export function askWith(
  house: Pick<TestTollhouse, 'ask'>,
  text: string,
  headers: Record<string, string> = {},
): Promise<Answer<{ organization: { name: string } | null }>> {
  return house.ask('{ organization { name } }', {}, { headers: { authorization: `Bearer ${text}`, ...headers } });
}

/** How asking with a key ends. */
export async function codeWith(
  house: Pick<TestTollhouse, 'ask'>,
  text: string,
  headers: Record<string, string> = {},
): Promise<string> {
  return codeOf(await askWith(house, text, headers));
}
