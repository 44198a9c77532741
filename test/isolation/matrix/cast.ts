import { newId } from '../../../src/kernel/ids.ts';
import type { Tenant } from '../../support/tenants.ts';
import { type Actor, actorsOf, NOBODYS, payer, posing, stranger, type Who } from '../actors.ts';
import type { Clerk } from './clerks.ts';
import { KEY_NAMES, KEY_SCOPES_OF, type KeyName, type SeededKey } from './keys.ts';
import type { CrowdedWorld } from './world.ts';

/** An actor, with the organization of its scene: its number, none, or the deleted one. */
export interface Placed {
  readonly actor: Actor;
  readonly scene: string;
}

const REQUEST = 'isolation';

/** Everybody, in each of the three organizations, in none, and where it can be in the deleted one. */
export function castOf(world: CrowdedWorld): readonly Placed[] {
  const within = world.tenants.flatMap((tenant, index) =>
    [...actorsOf(tenant).filter(({ name }) => !ANYWHERE.has(name)), ...moreOf(world, tenant)].map((actor) => ({
      actor,
      scene: String(index),
    })),
  );
  return [
    ...within,
    ...nowhere(world).map((actor) => ({ actor, scene: 'none' })),
    ...inDeleted(world).map((actor) => ({ actor, scene: 'deleted' })),
  ];
}

/** Those of an organization's actors who are the same in all, or better placed with its settings. */
const ANYWHERE = new Set(['login', 'public', 'identity', 'worker', 'operator']);

/** Whom the door does not let in, with the settings of the organization all the same. */
function behind({ permissions }: CrowdedWorld, { organizationId, people, links }: Tenant): Actor[] {
  const who: Who = {
    organizationId,
    userId: people.OWNER.userId,
    sessionId: people.OWNER.sessionId,
    targetId: links[0]?.id ?? '',
    permissions: permissions.OWNER,
  };
  return (['login', 'operator', 'doorkeeper', 'auditor', 'owner'] as const).map((name) => posing(name, who));
}

function moreOf(world: CrowdedWorld, tenant: Tenant): Actor[] {
  const { organizationId, links } = tenant;
  const sessionId = world.endedSessions[organizationId] ?? '';
  return [
    payer('withdrawn', 'payment-link', links[2]?.slug, { organizationId, targetId: links[2]?.id ?? '' }),
    {
      name: 'late',
      scene: { kind: 'identity', requestId: REQUEST, sessionId, account: NOBODYS },
      who: { sessionId, account: NOBODYS },
    },
    boundOf(world, tenant),
    clerkOf(world, tenant),
    ...KEY_NAMES.map((name): Actor => {
      const { id, claim } = (world.keys[organizationId] as Record<KeyName, SeededKey>)[name];
      return {
        name,
        scene: { kind: 'key', requestId: REQUEST, claim, call: { counted: true } },
        who: { organizationId, keyId: id, permissions: KEY_SCOPES_OF[name] },
      };
    }),
    ...behind(world, tenant),
  ];
}

/** The owner, who signed in on the organization's own domain. */
function boundOf({ boundSessions }: CrowdedWorld, { organizationId, people: { OWNER } }: Tenant): Actor {
  const { userId, identityId } = OWNER;
  const sessionId = boundSessions[organizationId] ?? '';
  return {
    name: 'bound',
    scene: { kind: 'member', requestId: REQUEST, sessionId, organizationId },
    who: { organizationId, userId, sessionId, identityId },
  };
}

/** Who has a custom role, signed in on the organization's own domain as well. */
function clerkOf({ clerks }: CrowdedWorld, { organizationId }: Tenant): Actor {
  const { userId, identityId, sessionId } = clerks[organizationId] as Clerk;
  return {
    name: 'clerk',
    scene: { kind: 'member', requestId: REQUEST, sessionId, organizationId },
    who: { organizationId, userId, sessionId, identityId },
  };
}

/** Who asks without an organization. */
function nowhere({ tenants, permissions }: CrowdedWorld): Actor[] {
  const [{ people }] = tenants as [Tenant];
  const newcomer = { userId: newId(), organizationId: newId() };
  const sessionId = newId();
  return [
    posing('login', {}),
    stranger,
    payer('slug', 'payment-link', 'never-given'),
    payer('token', 'payment-order', 'never-given'),
    { name: 'identity', scene: { kind: 'identity', requestId: REQUEST }, who: {} },
    {
      name: 'newcomer',
      scene: { kind: 'identity', requestId: REQUEST, sessionId, account: NOBODYS, newcomer },
      who: { ...newcomer, sessionId, account: NOBODYS },
    },
    ...(['OWNER', 'ADMIN', 'MEMBER'] as const).map((name) =>
      posing(name, { userId: people[name].userId, sessionId: people[name].sessionId, permissions: permissions[name] }),
    ),
    posing('key', { keyId: newId(), permissions: KEY_SCOPES_OF.key }),
    { name: 'worker', scene: { kind: 'worker', requestId: REQUEST }, who: {} },
    ...(['operator', 'doorkeeper', 'auditor', 'owner'] as const).map((name) => posing(name, {})),
  ];
}

/** Who asks in the deleted organization: signing in, and as if the door had let them in. */
function inDeleted({ gone }: CrowdedWorld): Actor[] {
  const { organizationId, links } = gone;
  return [
    ...actorsOf(gone).filter(({ name }) => name === 'proved'),
    posing('slug', { organizationId, targetId: links[0]?.id ?? '' }),
    posing('key', { organizationId, permissions: KEY_SCOPES_OF.key }),
  ];
}
