import { createHash } from 'node:crypto';
import pg from 'pg';
import { enter, type HandleKind, type Scene } from '../../src/database/scene.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';

/** Everybody who can ask, and the role that their statements run as. */
export const ROLE_OF = {
  /** The gateway's login, before it becomes anyone. */
  login: 'tollhouse_gateway',
  /** Nobody in particular; who came with a link's slug, an order's token, the slug of a link that was deleted. */
  public: 'tollhouse_public',
  slug: 'tollhouse_public',
  token: 'tollhouse_public',
  withdrawn: 'tollhouse_public',
  /** Signing in: nobody yet; a known account with its session; a session that has ended; an unknown account. */
  identity: 'tollhouse_identity',
  proved: 'tollhouse_identity',
  late: 'tollhouse_identity',
  newcomer: 'tollhouse_identity',
  OWNER: 'tollhouse_member',
  ADMIN: 'tollhouse_member',
  MEMBER: 'tollhouse_member',
  /** The owner, in a session of the organization's own domain. */
  bound: 'tollhouse_member',
  /** A member with a custom role that reads payment links alone, in such a session. */
  clerk: 'tollhouse_member',
  /** An API key that may read payments, one that may read payment links, and one that may make them. */
  key: 'tollhouse_member',
  linkKey: 'tollhouse_member',
  payKey: 'tollhouse_member',
  /** Background work, across tenants and inside one. */
  worker: 'tollhouse_worker',
  inside: 'tollhouse_worker',
  operator: 'tollhouse_operator',
  /** The owners of the functions that run with their owner's rights, and the owner of the tables. */
  doorkeeper: 'tollhouse_doorkeeper',
  auditor: 'tollhouse_auditor',
  owner: 'tollhouse_owner',
} as const;

export type ActorName = keyof typeof ROLE_OF;

/** What the policies can learn of who asks. */
export interface Who {
  readonly organizationId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  /** What a bound session was begun with: the one identity that it sees. */
  readonly identityId?: string;
  readonly keyId?: string;
  readonly targetId?: string;
  readonly account?: { readonly issuer: string; readonly subject: string };
  readonly permissions?: string;
}

/** Somebody who asks the database, as the gateway would let them. */
export interface Actor {
  readonly name: ActorName;
  /** How they enter; null for whoever comes past the door, with the settings that say the same. */
  readonly scene: Scene | null;
  readonly who: Who;
}

const REQUEST = 'isolation';

/** An account that nobody has proved before. */
export const NOBODYS = { issuer: 'eip155', subject: `0x${'2'.repeat(40)}` };

/** Everybody who can ask through the door, in or for the tenant, and the operator. */
export function actorsOf(tenant: Tenant): readonly Actor[] {
  const { organizationId } = tenant;
  const { address, sessionId, userId } = tenant.people.OWNER;
  const account = { issuer: 'eip155', subject: address };
  return [
    posing('login', {}),
    stranger,
    payer('slug', 'payment-link', tenant.links[0]?.slug, { organizationId, targetId: tenant.links[0]?.id ?? '' }),
    payer('token', 'payment-order', tenant.orders[0]?.token, { organizationId, targetId: tenant.orders[0]?.id ?? '' }),
    { name: 'identity', scene: { kind: 'identity', requestId: REQUEST }, who: {} },
    {
      name: 'proved',
      scene: { kind: 'identity', requestId: REQUEST, sessionId, account },
      who: { userId, sessionId, account },
    },
    ...(['OWNER', 'ADMIN', 'MEMBER'] as const).map((name) => {
      // the member has just proved a wallet, to link it
      const proof = name === 'MEMBER' ? { account: NOBODYS } : {};
      const { userId, sessionId } = tenant.people[name];
      return {
        name,
        scene: { ...memberScene(tenant, name, REQUEST), ...proof },
        who: { organizationId, userId, sessionId, ...proof },
      };
    }),
    { name: 'worker', scene: { kind: 'worker', requestId: REQUEST }, who: {} },
    { name: 'inside', scene: { kind: 'worker', requestId: REQUEST, organizationId }, who: { organizationId } },
    posing('operator', {}),
  ];
}

/** Nobody in particular, who came with nothing. */
export const stranger: Actor = { name: 'public', scene: { kind: 'public', requestId: REQUEST }, who: {} };

/** Who comes with a handle; what it should stand for is nothing when it is not given. */
export function payer(name: ActorName, kind: HandleKind, value: string | undefined, who: Who = {}): Actor {
  const valueHash = createHash('sha256')
    .update(value ?? '')
    .digest();
  return { name, scene: { kind: 'public', requestId: REQUEST, handle: { kind, valueHash } }, who };
}

/** Who comes past the door, with the settings that it would have made. */
export function posing(name: ActorName, who: Who): Actor {
  return { name, scene: null, who };
}

/** Whom a connection belongs to before the scene: those that the gateway's login cannot become have their own. */
export function loginOf({ name }: Pick<Actor, 'name'>): string {
  const role = ROLE_OF[name];
  return ['operator', 'doorkeeper', 'auditor', 'owner'].includes(name) ? role : 'tollhouse_gateway';
}

/** Makes the rest of the transaction the actor's, on a connection that is its login's. */
export async function enterAs(client: pg.Client, actor: Actor): Promise<void> {
  if (actor.scene) {
    await client.query(enter(actor.scene) as pg.QueryConfig);
    return;
  }
  const { who, name } = actor;
  const settings: Record<string, string | undefined> = {
    'app.organization_id': who.organizationId,
    'app.user_id': who.userId,
    'app.person_id': who.userId,
    'app.session_id': who.sessionId,
    'app.key_id': who.keyId,
    'app.target_id': who.targetId,
    'app.permissions': who.permissions,
    role: name === 'login' ? 'none' : ROLE_OF[name],
  };
  await client.query('select set_config(key, value, true) from jsonb_each_text($1)', [
    JSON.stringify(Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, value ?? '']))),
  ]);
}

/** Runs as the actor in a transaction that is undone; each statement may fail without ending it. */
export async function act<Result>(
  { adminUrl, gatewayUrl }: { readonly adminUrl: string; readonly gatewayUrl: string },
  actor: Actor,
  run: (attempt: Attempt) => Promise<Result>,
): Promise<Result> {
  const login = loginOf(actor);
  const client = new pg.Client({ connectionString: login === 'tollhouse_gateway' ? gatewayUrl : adminUrl });
  await client.connect();
  try {
    await client.query('begin');
    if (login !== 'tollhouse_gateway') await client.query(`set local session authorization ${login}`);
    await enterAs(client, actor);
    return await run((text, values) => attempt(client, text, values));
  } finally {
    await client.end();
  }
}

/** One statement: its rows and count, or the SQLSTATE that it failed with; what it changed is undone at once. */
type Attempt = (text: string, values?: unknown[]) => Promise<Outcome>;

interface Outcome {
  readonly code: string | null;
  readonly rows: Record<string, unknown>[];
  readonly count: number;
}

async function attempt(client: pg.Client, text: string, values: unknown[] = []): Promise<Outcome> {
  await client.query('savepoint attempt');
  try {
    const { rows, rowCount } = await client.query<Record<string, unknown>>(text, values);
    return { code: null, rows, count: rowCount ?? 0 };
  } catch (error) {
    return { code: (error as pg.DatabaseError).code ?? String(error), rows: [], count: 0 };
  } finally {
    await client.query('rollback to savepoint attempt');
  }
}
