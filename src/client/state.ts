import type { Keyring } from './keyring.ts';
import { failure, type TollhouseError } from './tollhouseError.ts';
import type { Transport } from './transport.ts';
import type { Wallet } from './wallet.ts';

/** Who is signed in, and where. */
export interface Session {
  /** The session’s global id, as `viewer.sessions` lists it. */
  readonly id: string;
  readonly user: { readonly id: string; readonly displayName: string };
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string };
  readonly role: 'OWNER' | 'ADMIN' | 'MEMBER';
  /** The address of the wallet that it was begun with. */
  readonly wallet: `0x${string}` | null;
  /** Whether it was begun on an organization’s own domain, and is good there alone. */
  readonly isBound: boolean;
  /** Whether signing in has just made the user. */
  readonly isNewUser: boolean;
}

/** Why the session is another one now. */
export type SessionReason = 'signedIn' | 'resumed' | 'switched' | 'signedOut' | 'ended';

/** Is told of each change, once. */
export type SessionListener = (session: Session | null, reason: SessionReason) => void;

/** A token for requests, and until when it is used, by this device's own clock. */
export interface Access {
  readonly token: string;
  readonly until: number;
}

/** What a client remembers. */
export interface State {
  session: Session | null;
  /** The session's place in the keyring; null for nobody, and where cookies say who asks. */
  family: string | null;
  access: Access | null;
  /** Counts who was signed in: what was asked as one of them is never repeated as another. */
  epoch: number;
  /** Aborted when the epoch ends. */
  leaving: AbortController;
  /** Whether the storage has said whose page this is, or somebody has signed in meanwhile. */
  settled: boolean;
  /** The epoch that is ended here just now: streams hear of that as soon as the answer comes, and are not to tell of it. */
  signingOut: number | null;
  /** Fulfilled when the last signing out has been answered. */
  signedOut: Promise<unknown>;
  resuming: Promise<void> | null;
  refreshing: Promise<void> | null;
  readonly listeners: Set<SessionListener>;
}

/** All that the client's parts work with. */
export interface ClientContext {
  readonly transport: Transport;
  readonly keyring: Keyring;
  readonly wallet: Wallet | undefined;
  /** Whether a key says who asks, and no session. */
  readonly keyed: boolean;
  /** How often something is tried again. */
  readonly retries: number;
  readonly state: State;
}

/** What a client remembers at first: nobody. */
export function createState(): State {
  return {
    session: null,
    family: null,
    access: null,
    epoch: 0,
    leaving: new AbortController(),
    settled: false,
    signingOut: null,
    signedOut: Promise.resolve(),
    resuming: null,
    refreshing: null,
    listeners: new Set(),
  };
}

/** Goes on as somebody else, or as nobody, and tells those who listen. */
export function become(
  { state }: ClientContext,
  { session, family, access }: Pick<State, 'session' | 'family' | 'access'>,
  reason: SessionReason,
): void {
  const { session: before, epoch, leaving, listeners } = state;
  Object.assign(state, { session, family, access, epoch: epoch + 1, leaving: new AbortController(), settled: true });
  leaving.abort(changed(session));
  if (before === null && session === null) return;
  for (const listener of [...listeners]) {
    try {
      listener(session, reason);
    } catch (error) {
      // Its own fault, to be seen where such faults are seen; who is signed in does not depend on it.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** What something is told that was asked as somebody who is not signed in here any more. */
export function changed(session: Session | null, cause?: unknown): TollhouseError {
  return failure(session ? 'SESSION_CHANGED' : 'SESSION_ENDED', { cause });
}
