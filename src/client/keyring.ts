/** Where a refresh token is kept beyond this page: `localStorage`, `sessionStorage`, or anything of their shape. */
export interface TokenStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

/** A session that can be gone on with, by its refresh token. */
export interface Held {
  /** Which session it is: a token's part in front of the first point, which stays when the token is exchanged. */
  readonly family: string;
  readonly token: string;
  /** The family that signing in began; it takes those that were switched to with it when it ends. */
  readonly root: string;
  readonly userId: string;
  readonly organizationId: string;
}

/** All sessions that one signing-in began, the newest last, and the one that a new page goes on with. */
export interface Ring {
  readonly current: string | null;
  readonly held: readonly Held[];
}

/** The refresh tokens of this client, or of all that share its storage. */
export interface Keyring {
  /** Whether a new page finds what an old one left. */
  readonly lasting: boolean;
  read(): Promise<Ring>;
  /**
   * Changes the ring while nobody else does: no other call, and where the platform has locks no other tab. So a token
   * is never spent by two, which would end its session.
   */
  change<Result>(work: (ring: Ring, save: (next: Ring) => Promise<void>) => Promise<Result>): Promise<Result>;
}

const EMPTY: Ring = { current: null, held: [] };

/** Sessions beyond these are let go of, the oldest first: nobody goes back to so many organizations. */
const MOST_HELD = 12;

/** The session that a refresh token belongs to. */
export function familyOf(token: string): string {
  return token.split('.', 1).join('');
}

/** The ring with this session in it, in the place of an older token of it. */
export function withHeld({ current, held }: Ring, next: Held): Ring {
  const others = held.filter(({ family }) => family !== next.family);
  return { current, held: [...others, next].slice(-MOST_HELD) };
}

/** The ring without the sessions that are over. */
export function withoutHeld({ current, held }: Ring, isOver: (one: Held) => boolean): Ring {
  const left = held.filter((one) => !isOver(one));
  return { current: left.some(({ family }) => family === current) ? current : null, held: left };
}

/**
 * Opens the ring that belongs to a gateway; without a storage it lives as long as the client.
 * @param shared whether other tabs have the same sessions, by their storage or by cookies
 */
export function openKeyring(url: string, storage: TokenStorage | undefined, shared: boolean): Keyring {
  const key = `tollhouse ${url}`;
  let own = EMPTY;
  let queue: Promise<unknown> = Promise.resolve();
  let kept = storage;
  // A storage that refuses, as browsers' may where a person wants no traces, is done without.
  const store = <Answer>(use: (storage: TokenStorage) => Answer | Promise<Answer>): Promise<Answer | undefined> =>
    Promise.resolve(kept)
      .then((found) => found && use(found))
      .catch(() => {
        kept = undefined;
        return undefined;
      });
  const read = async (): Promise<Ring> => {
    const text = await store((found) => found.getItem(key));
    return kept ? parseRing(text ?? null) : own;
  };
  const save = async (next: Ring): Promise<void> => {
    own = next;
    await store((found) => (next.held.length === 0 ? found.removeItem(key) : found.setItem(key, JSON.stringify(next))));
  };
  return {
    lasting: storage !== undefined,
    read,
    change(work) {
      const alone = async () => work(await read(), save);
      const done = queue.then(() => (shared ? lock(key, alone) : alone()));
      queue = done.catch(() => undefined);
      return done;
    },
  };
}

/** Whatever else stands there is nobody's session. */
function parseRing(text: string | null): Ring {
  try {
    const { current = null, held = [] } = JSON.parse(text ?? '{}') as Partial<Ring>;
    return { current, held: held.filter(({ family, token }) => familyOf(token) === family) };
  } catch {
    return EMPTY;
  }
}

interface Locks {
  request<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

/** Without locks (Node, or a page that came without TLS) the gateway forgives tabs that refresh within ten seconds. */
function lock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const { locks } = ((globalThis as { navigator?: unknown }).navigator ?? {}) as { locks?: Locks };
  return locks ? locks.request(name, work) : work();
}
