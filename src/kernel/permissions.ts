/** What a membership makes of its user, the highest first. */
export const ROLES = ['OWNER', 'ADMIN', 'MEMBER'] as const;

/** One of them. */
export type Role = (typeof ROLES)[number];

/** What somebody may do with one kind of thing in an organization. */
export interface PermissionDefinition {
  /** One sentence: what whoever has it may do. */
  readonly means: string;
  /** The roles that have it. */
  readonly roles: readonly Role[];
  /** What a custom role has beside it: without them what it is for fails half-way. */
  readonly needs?: readonly string[];
}

const EVERYBODY = ROLES;
const THE_UPPER = ['OWNER', 'ADMIN'] as const;

/**
 * All permissions there are, as `<resource>:<read|write>`. `permissions_of` in the database says the same of the roles,
 * the tables' policies ask for them, and docs/permissions.md is made of this; test/tenancy/permissions.test.ts holds the
 * four together.
 */
export const PERMISSIONS = {
  'organization:read': { means: 'Reads the domains and the configuration of the store.', roles: EVERYBODY },
  'organization:write': {
    means: 'Changes what the organization says of itself, its settings, its store and its domains.',
    roles: ['OWNER'],
    needs: ['organization:read', 'events:read'],
  },
  'members:read': {
    means: 'Reads who is and was a member, by name and picture, and who is invited.',
    roles: EVERYBODY,
  },
  'members:write': {
    means: 'Invites, changes and removes members, makes and gives roles: none that may do what the giver may not.',
    roles: THE_UPPER,
    needs: ['members:read', 'events:read'],
  },
  'payment-links:read': { means: 'Reads payment links, and what they ask for.', roles: EVERYBODY },
  'payments:read': { means: 'Reads orders, the transfers that came for them, and what they pay.', roles: EVERYBODY },
  'payments:write': {
    means: 'Makes, changes and deletes payment links, and decides about orders, money that no order took, and refunds.',
    roles: THE_UPPER,
    needs: ['payment-links:read', 'events:read'],
  },
  'events:read': { means: 'Reads the log of what happened, whatever it is about.', roles: EVERYBODY },
  'audit:read': {
    means: 'Reads who changed which row, the chain that proves it, and what operators did.',
    roles: THE_UPPER,
  },
  'keys:read': { means: 'Reads which API keys there are, and how they are used; never a secret.', roles: THE_UPPER },
  'keys:write': {
    means: 'Makes, changes and revokes API keys, within what the maker may do.',
    roles: THE_UPPER,
    needs: ['keys:read', 'events:read'],
  },
} as const satisfies Readonly<Record<`${string}:${'read' | 'write'}`, PermissionDefinition>>;

/** One of them. */
export type Permission = keyof typeof PERMISSIONS;

/** What a built-in role may do, in the one order that permissions have. */
export function permissionsOf(role: Role): readonly Permission[] {
  const all = Object.entries<PermissionDefinition>(PERMISSIONS);
  return all.filter(([, { roles }]) => roles.includes(role)).map(([permission]) => permission as Permission);
}

/** The permissions that an API key may have, as the check of its table says too: who may act is for people to say. */
export const KEY_SCOPES = [
  'organization:read',
  'members:read',
  'payment-links:read',
  'payments:read',
  'payments:write',
  'events:read',
  'audit:read',
] as const satisfies readonly Permission[];
