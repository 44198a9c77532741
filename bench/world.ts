import { withSession } from '../src/database/session.ts';
import type { SigningKey } from '../src/environment.ts';
import { createTokens } from '../src/identity/providers/tokens.ts';

/** An organization as a request of its owner needs to know it. */
export interface Tenant {
  readonly organizationId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** The owner's proved wallet, in lower case. */
  readonly address: string;
  /** What the owner may do, as the policies read it. */
  readonly permissions: string;
  /** The owner's access token; good for longer than any run takes. */
  readonly token: string;
  readonly linkIds: readonly string[];
}

/** The seeded tenants: what is read and what is written do not meet, so that all read the same throughout. */
export interface World {
  readonly readers: readonly Tenant[];
  readonly writers: readonly Tenant[];
}

/** What the tokens of the bench say that they are from. */
export const ISSUER = 'http://bench.invalid';

const TOKEN_SECONDS = 86_400;
/** One tenant of so many is written to. */
const WRITERS = 10;

/** Reads what was seeded, and signs a token for every owner. */
export async function readWorld(adminUrl: string, tokenKeys: readonly SigningKey[]): Promise<World> {
  const clock = { now: () => Date.now() };
  const tokens = await createTokens({ keys: tokenKeys, issuer: ISSUER, lifetime: TOKEN_SECONDS, clock });
  const rows = await withSession(adminUrl, async (client) => {
    const found = await client.query<Omit<Tenant, 'token'>>(`/* readWorld */
      select
        o.id as "organizationId",
        s.user_id as "userId",
        s.id as "sessionId",
        i.address,
        permissions_of('OWNER') as permissions,
        array(select l.id from payment_links l where l.organization_id = o.id order by l.created_at) as "linkIds"
      from organizations o
      join sessions s on s.organization_id = o.id
      join identities i on i.id = s.identity_id
      order by o.id`);
    return found.rows;
  });
  const tenants = await Promise.all(rows.map(async (row) => ({ ...row, token: (await tokens.issue(row)).token })));
  return {
    readers: tenants.filter((_, index) => index % WRITERS !== 0),
    writers: tenants.filter((_, index) => index % WRITERS === 0),
  };
}

/** Random numbers from 0 to below 1 that are the same in every run: a linear congruential generator. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
