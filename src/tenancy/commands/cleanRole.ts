import { kernelErrors } from '../../kernel/errors.ts';
import { PERMISSIONS, type PermissionDefinition, ROLES } from '../../kernel/permissions.ts';
import { cleanText } from '../../kernel/text.ts';

/** What an organization says of a custom role: what is absent stays as it is, and null takes the description away. */
export interface RoleWords {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly permissions?: readonly string[] | null | undefined;
}

/** The same, as it is stored. */
export interface CleanRole {
  readonly name?: string;
  readonly description?: string | null;
  readonly permissions?: readonly string[];
}

const DEFINITIONS: Readonly<Record<string, PermissionDefinition>> = PERMISSIONS;
const BUILT_IN = new Set<string>(ROLES);

/**
 * Holds each word to its rule; permissions come in the one order that they have, each once.
 * @throws BAD_USER_INPUT with the field and what is expected of it
 */
export function cleanRole({ name, description, permissions }: RoleWords): CleanRole {
  if (name === null || permissions === null) {
    const field = name === null ? 'name' : 'permissions';
    throw kernelErrors.BAD_USER_INPUT({ field, expected: 'one, since no role is without' });
  }
  return {
    ...(name !== undefined && { name: cleanName(name) }),
    ...(description !== undefined && {
      description: description === null ? null : cleanText(description, 'description', { max: 500 }),
    }),
    ...(permissions !== undefined && { permissions: cleanPermissions(permissions) }),
  };
}

function cleanName(text: string): string {
  const name = cleanText(text, 'name', { max: 50 });
  if (BUILT_IN.has(name.toUpperCase())) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'name', expected: 'a name that no built-in role has' });
  }
  return name;
}

function cleanPermissions(given: readonly string[]): readonly string[] {
  const known = Object.keys(DEFINITIONS);
  if (given.length === 0 || !given.every((permission) => known.includes(permission))) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'permissions', expected: `at least one of ${known.join(', ')}` });
  }
  for (const permission of given) {
    const missing = DEFINITIONS[permission]?.needs?.find((needed) => !given.includes(needed));
    if (missing !== undefined) {
      throw kernelErrors.BAD_USER_INPUT({ field: 'permissions', expected: `${missing} beside ${permission}` });
    }
  }
  return known.filter((permission) => given.includes(permission));
}
