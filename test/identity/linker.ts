import type { TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, rowId, type SignedIn, sessionIdOf, sql, type Wallet } from './visitor.ts';

type House = Pick<TestTollhouse, 'ask' | 'url' | 'database'>;
type Purpose = 'LINK' | 'STEP_UP';

/** A text and its signature. */
export interface Signed {
  readonly message: string;
  readonly signature: string;
}

/** How a mutation ended, and what it answered. */
export interface Outcome<Data = Record<string, unknown>> {
  readonly code: string;
  readonly data: Data | null;
}

/** Runs one mutation with an input, as somebody. */
export async function mutate<Data = Record<string, unknown>>(
  house: House,
  token: string | undefined,
  field: string,
  input: object,
  selection: string,
  headers: Record<string, string> = {},
): Promise<Outcome<Data>> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const answer = await house.ask<Record<string, Data>>(
    `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} } }`,
    { input },
    { ...(token && { token }), headers },
  );
  return { code: codeOf(answer), data: answer.data?.[field] ?? null };
}

/** The text that the wallet is asked to sign for the purpose. */
export async function askText(house: House, token: string, purpose: Purpose, address: string): Promise<string> {
  const { code, data } = await mutate<{ challenge: { message: string } }>(
    house,
    token,
    'createWalletChallenge',
    { purpose, address },
    'challenge { nonce message expiresAt }',
  );
  if (!data) throw new Error(`No challenge: ${code}`);
  return data.challenge.message;
}

/** A challenge for the purpose, signed by its wallet. */
export async function signFor(house: House, token: string, purpose: Purpose, wallet: Wallet): Promise<Signed> {
  const message = await askText(house, token, purpose, wallet.address);
  return { message, signature: await wallet.signMessage({ message }) };
}

export interface WalletSeen {
  readonly id: string;
  readonly address: string;
  readonly primary: boolean;
}

export function submitLink(
  house: House,
  token: string | undefined,
  signed: Signed,
): Promise<Outcome<{ wallet: WalletSeen; alreadyLinked: boolean }>> {
  return mutate(house, token, 'linkWallet', signed, 'wallet { id address primary } alreadyLinked');
}

/** Links a wallet as its owner would. */
export async function link(house: House, { accessToken }: SignedIn, wallet: Wallet): ReturnType<typeof submitLink> {
  return submitLink(house, accessToken, await signFor(house, accessToken, 'LINK', wallet));
}

export function submitStepUp(
  house: House,
  token: string | undefined,
  signed: Signed,
): Promise<Outcome<{ provedAt: string; freshUntil: string }>> {
  return mutate(house, token, 'stepUp', signed, 'provedAt freshUntil');
}

export async function stepUp(house: House, { accessToken }: SignedIn, wallet: Wallet): Promise<string> {
  return (await submitStepUp(house, accessToken, await signFor(house, accessToken, 'STEP_UP', wallet))).code;
}

export function unlink(
  house: House,
  { accessToken }: Pick<SignedIn, 'accessToken'>,
  id: string,
  idempotencyKey?: string,
): Promise<Outcome<{ identityId: string; signedOut: boolean; replayed: boolean }>> {
  return mutate(house, accessToken, 'unlinkIdentity', { id, idempotencyKey }, 'identityId signedOut replayed');
}

export function prefer(
  house: House,
  { accessToken }: SignedIn,
  id: string,
  idempotencyKey?: string,
): Promise<Outcome<{ wallet: WalletSeen; replayed: boolean }>> {
  return mutate(
    house,
    accessToken,
    'setPrimaryWallet',
    { id, idempotencyKey },
    'wallet { id address primary } replayed',
  );
}

/** The person's wallets, as they are listed. */
export async function walletsOf(house: House, { accessToken }: SignedIn): Promise<readonly WalletSeen[]> {
  const { data } = await house.ask<{ viewer: { user: { wallets: WalletSeen[] } } }>(
    '{ viewer { user { wallets { id address primary } } } }',
    {},
    { token: accessToken },
  );
  return data?.viewer.user.wallets ?? [];
}

/** The global id of the person's wallet. */
export async function idOf(house: House, person: SignedIn, { address }: Wallet): Promise<string> {
  const found = (await walletsOf(house, person)).find((wallet) => wallet.address === address);
  if (!found) throw new Error(`${address} is not linked.`);
  return found.id;
}

/** Lets the session's last proof be longer ago than ten minutes. */
export async function makeStale(house: House, person: SignedIn): Promise<void> {
  await sql(house, `update sessions set proved_at = proved_at - interval '10 minutes 1 second' where id = $1`, [
    sessionIdOf(person),
  ]);
}

/** What was told of the user's wallets in the organization, oldest first, as `type address version`. */
export async function toldOf(house: House, organizationId: string, { viewer }: SignedIn): Promise<unknown[]> {
  const rows = await sql(
    house,
    `select type, data ->> 'address' as address, aggregate_version as version, actor
     from events where organization_id = $1 and type like 'wallet.%' and actor = $2
     order by transaction_id, position`,
    [rowId(organizationId), `user:${rowId(viewer.user.id)}`],
  );
  return rows.map(({ type, address, version }) => `${type} ${address} ${version}`);
}
