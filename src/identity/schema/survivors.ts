/** Somebody, with whom they have become. */
interface Merged<User> {
  readonly mergedInto: User | null;
}

/**
 * Reads a relation to a user together with whom that one has become, for `survivorOf`: what tells of the past may name
 * a user who is another's past by now. What was asked for is read of both.
 */
export function withSurvivor(asked: unknown): object {
  const { select, ...more } = asked as { readonly select?: object };
  return { ...more, select: { ...select, mergedInto: asked } };
}

/** Whom a user means: whoever a merged one has become, else itself. */
export function survivorOf<User>(user: User): User {
  return (user as User & Partial<Merged<User>>).mergedInto ?? user;
}
