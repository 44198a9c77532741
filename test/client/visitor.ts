import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import {
  createTollhouseClient,
  graphql,
  type Session,
  type SessionReason,
  type TokenStorage,
  type TollhouseClient,
  type TollhouseClientOptions,
  type Wallet,
} from '../../src/client/tollhouseClient.ts';
import { sql } from '../identity/visitor.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';

export const WHO = graphql('query Who { viewer { user { id } organization { id name } } }');
export const RENAME = graphql(`
  mutation Rename($name: String!, $idempotencyKey: String) {
    updateOrganization(input: { name: $name, idempotencyKey: $idempotencyKey }) { replayed organization { name } }
  }
`);
const FOUND = graphql(
  'mutation Found($name: String!) { createOrganization(input: { name: $name }) { organization { id } } }',
);
const END_OTHERS = graphql('mutation EndOthers { endOtherSessions { replayed } }');

/** A client that somebody has signed in with, and all that it was told. */
export interface Visitor {
  readonly client: TollhouseClient;
  readonly session: Session;
  readonly heard: readonly [session: Session | null, reason: SessionReason][];
}

export function newWallet(): Wallet {
  return privateKeyToAccount(generatePrivateKey());
}

/** Signs in with a wallet of its own, unless one is given. */
export async function enter(options: TollhouseClientOptions): Promise<Visitor> {
  const client = createTollhouseClient({ wallet: newWallet(), ...options });
  const heard: [Session | null, SessionReason][] = [];
  const session = await client.signIn();
  client.onSessionChange((next, reason) => heard.push([next, reason]));
  return { client, session, heard };
}

/** Ends all sessions of the user's but a new one, from another device. */
export async function endElsewhere(url: string, wallet: Wallet): Promise<void> {
  const { client } = await enter({ url, wallet });
  await client.mutate(END_OTHERS);
}

/** Founds another organization of the user's; answers its global id. */
export async function found(client: TollhouseClient, name: string): Promise<string> {
  const { createOrganization } = await client.mutate(FOUND, { name });
  return createOrganization.organization.id;
}

/** What a browser keeps for all pages of an origin. */
export function createStorage(): {
  -readonly [Verb in keyof TokenStorage]: TokenStorage[Verb];
} & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

/** Lets the grace of all rotations so far pass: from now on a spent token ends its session. */
export async function outliveGrace(house: Pick<TestTollhouse, 'ask' | 'url' | 'database'>): Promise<void> {
  await sql(
    house,
    `update sessions
     set rotations = array(
       select at - interval '11 seconds' from unnest(rotations) with ordinality r (at, place) order by place)`,
  );
}

/** How a promise ends: its code, or `OK`. */
export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'OK',
    (error: { code?: string; name?: string }) => error.code ?? error.name ?? 'unknown',
  );
}
