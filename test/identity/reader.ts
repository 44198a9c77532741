import type { Outbox } from '../../src/identity/providers/outbox.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { mutate, type Outcome } from './linker.ts';
import type { SignedIn } from './visitor.ts';

type Asker = Pick<SignedIn, 'accessToken'>;

/** The code in a mail's text. */
export function codeIn(text: string): string {
  const [, code] = /^ {4}(\d{8})\r?$/m.exec(text) ?? [];
  if (code === undefined) throw new Error(`No code stands in: ${text}`);
  return code;
}

/** Another code of eight digits. */
export function otherThan(code: string): string {
  return String((Number(code) + 1) % 100_000_000).padStart(8, '0');
}

/** The mails that a gateway without a mail server kept for this address, the oldest first. */
export function mailsTo({ resources }: Pick<TestTollhouse, 'resources'>, email: string): readonly string[] {
  return (resources.mailSender as Outbox).mails.filter(({ to }) => to === email).map(({ text }) => text);
}

/** Has a code sent. */
export function askCode(
  house: TestTollhouse,
  { accessToken }: Asker,
  email: string,
): Promise<Outcome<{ email: string; expiresAt: string }>> {
  return mutate(house, accessToken, 'createEmailCode', { email }, 'email expiresAt');
}

/** Has a code sent to an address, in its stored form, and reads it there. */
export async function readCode(house: TestTollhouse, person: Asker, email: string): Promise<string> {
  const { code } = await askCode(house, person, email);
  if (code !== 'OK') throw new Error(`No code was sent: ${code}`);
  return codeIn(mailsTo(house, email).at(-1) ?? '');
}

export interface IdentitySeen {
  readonly id: string;
  readonly kind: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
}

export function submitCode(
  house: TestTollhouse,
  { accessToken }: Asker,
  email: string,
  code: string,
): Promise<Outcome<{ identity: IdentitySeen; alreadyLinked: boolean }>> {
  const selection = 'identity { id kind issuer subject email emailVerified } alreadyLinked';
  return mutate(house, accessToken, 'linkEmail', { email, code }, selection);
}

/** Links an address as its reader would; answers the identity's global id. */
export async function linkAddress(house: TestTollhouse, person: Asker, email: string): Promise<string> {
  const { code, data } = await submitCode(house, person, email, await readCode(house, person, email));
  if (!data) throw new Error(`Linking failed: ${code}`);
  return data.identity.id;
}
