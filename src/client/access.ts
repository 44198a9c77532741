import { type Done, readDocument } from './document.ts';
import type { ResultOf } from './graphql.ts';
import { familyOf, type Held, type Ring, withHeld, withoutHeld } from './keyring.ts';
import { RefreshSession, WhoIsThere } from './operations.ts';
import { until, withRetries } from './retry.ts';
import { type Access, become, type ClientContext, changed, type Session } from './state.ts';
import { failure, hasCode, TollhouseError } from './tollhouseError.ts';
import { ask } from './transport.ts';

/** Who a request is asked as. */
export interface Pass {
  readonly token: string | null;
  readonly epoch: number;
}

/** What says that a session cannot be gone on with. */
const OVER = ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'SIGNER_NO_LONGER_VALID', 'UNAUTHENTICATED'];

/** A lost answer can be asked for again within ten seconds of the first time: by then the second try has arrived. */
const EXCHANGE_MS = 7_000;
/** Whoever is to wait longer for it than this asks again another time. */
const EXCHANGE_LONGEST_RETRY_AFTER_S = 2;

/** Who asks now: the token is good for a while, exchanged before if need be. */
export async function takePass(client: ClientContext, signal: AbortSignal | undefined): Promise<Pass> {
  const { state, transport, keyed } = client;
  if (!keyed && !transport.cookies) {
    if (!state.settled) await until(resume(client), signal);
    if (state.family !== null && (state.access === null || Date.now() >= state.access.until)) {
      await until(refresh(client), signal);
    }
  }
  return { token: state.access?.token ?? null, epoch: state.epoch };
}

/** Makes sure that a pass is still of whoever is signed in. */
export function assertSame({ state }: ClientContext, pass: Pass): void {
  if (pass.epoch !== state.epoch) throw changed(state.session);
}

/**
 * Exchanges the token that was refused, unless that was done meanwhile.
 * @throws SESSION_ENDED, SESSION_CHANGED
 */
export async function renew(client: ClientContext, pass: Pass, signal: AbortSignal | undefined): Promise<void> {
  assertSame(client, pass);
  if (pass.token !== null && client.state.access?.token !== pass.token && client.state.access !== null) return;
  await until(refresh(client), signal);
  assertSame(client, pass);
}

/** Goes on with the session that an earlier page has left, if there is a storage; once for all who wait for it. */
export function resume(client: ClientContext): Promise<void> {
  const { state, keyring } = client;
  if (!keyring.lasting || state.family !== null) return Promise.resolve();
  state.resuming ??= resumeHeld(client).finally(() => {
    state.resuming = null;
  });
  return state.resuming;
}

async function resumeHeld(client: ClientContext): Promise<void> {
  const { state, keyring } = client;
  const { epoch } = state;
  const { current } = await keyring.read();
  const next =
    current === null ? null : await exchangeHeld(client, ({ held }) => held.find(({ family }) => family === current));
  if (state.epoch !== epoch) return;
  state.settled = true;
  if (next) become(client, next, 'resumed');
}

/** Exchanges a held token and reads whose session it is; null when it is over, and then no longer held. */
export async function exchangeHeld(
  client: ClientContext,
  find: (ring: Ring) => Held | undefined,
): Promise<{ session: Session; family: string; access: Access } | null> {
  const found = await client.keyring.change(async (ring, save) => {
    const held = find(ring);
    if (!held) return null;
    const access = await exchange(client, held, ring, save).catch((error: unknown) => {
      if (hasCode(error, 'SESSION_ENDED')) return null;
      throw error;
    });
    return access && { access, family: held.family };
  });
  if (!found) return null;
  const session = await readSession(client, found.access.token);
  return session && { ...found, session };
}

/** Reads whose session a token, or a cookie, belongs to; null for nobody's. */
export async function readSession(client: ClientContext, token: string | null): Promise<Session | null> {
  const call = { operation: readDocument(WhoIsThere), variables: {}, accessToken: token, repeatable: true };
  const { viewer } = (await withRetries(() => ask(client.transport, call), {
    retries: client.retries,
    signal: undefined,
  })) as ResultOf<typeof WhoIsThere>;
  return viewer && sessionOf(viewer);
}

type ViewerRead = NonNullable<ResultOf<typeof WhoIsThere>['viewer']>;

/** The session as pages are told of it. */
export function sessionOf({ session, user, organization, role }: ViewerRead, isNewUser = false): Session {
  const { id, isBound, wallet } = session;
  return { id, user, organization, role, wallet: wallet?.address ?? null, isBound, isNewUser };
}

/** Exchanges the session's token, once for all who wait for it. */
function refresh(client: ClientContext): Promise<void> {
  const { state } = client;
  state.refreshing ??= refreshNow(client).finally(() => {
    state.refreshing = null;
  });
  return state.refreshing;
}

async function refreshNow(client: ClientContext): Promise<void> {
  const { state, keyring, transport } = client;
  const { family, epoch } = state;
  try {
    const access = await keyring.change(async (ring, save) => {
      if (transport.cookies) return exchangeCookies(client);
      const held = ring.held.find((one) => one.family === family);
      // Another tab has signed out.
      if (!held) throw failure('SESSION_ENDED');
      return exchange(client, held, ring, save);
    });
    if (state.epoch === epoch) state.access = access;
  } catch (error) {
    if (hasCode(error, 'SESSION_ENDED') && state.epoch === epoch && state.signingOut !== epoch) {
      become(client, { session: null, family: null, access: null }, 'ended');
    }
    throw error;
  }
}

async function exchange(
  client: ClientContext,
  held: Held,
  ring: Ring,
  save: (next: Ring) => Promise<void>,
): Promise<Access> {
  try {
    const { accessToken, refreshToken } = await askForTokens(client, held.token);
    if (!accessToken || !refreshToken) throw failure('ANSWER_UNREADABLE');
    await save(withHeld(ring, { ...held, token: refreshToken, family: familyOf(refreshToken) }));
    return accessOf(accessToken);
  } catch (cause) {
    if (!hasCode(cause, ...OVER)) throw cause;
    // A token that was used twice takes all with it that the same signing-in began.
    const over = (one: Held): boolean =>
      cause.code === 'REFRESH_TOKEN_INVALID' ? one.family === held.family : one.root === held.root;
    await save(withoutHeld(ring, over));
    throw failure('SESSION_ENDED', { cause });
  }
}

async function exchangeCookies(client: ClientContext): Promise<null> {
  try {
    await askForTokens(client, null);
    return null;
  } catch (cause) {
    throw hasCode(cause, ...OVER) ? failure('SESSION_ENDED', { cause }) : cause;
  }
}

async function askForTokens(
  { transport }: ClientContext,
  refreshToken: string | null,
): Promise<Done<ResultOf<typeof RefreshSession>>['refreshSession']> {
  const input = refreshToken === null ? {} : { refreshToken };
  const call = { operation: readDocument(RefreshSession), variables: { input }, accessToken: null, repeatable: true };
  const once = () =>
    ask(transport, { ...call, signal: AbortSignal.timeout(EXCHANGE_MS) }).catch((cause: unknown) => {
      throw cause instanceof TollhouseError ? cause : failure('NETWORK_FAILED', { retryable: true, cause });
    });
  const longest = EXCHANGE_LONGEST_RETRY_AFTER_S;
  const answer = await withRetries(once, { retries: 1, signal: undefined, longest });
  return (answer as Done<ResultOf<typeof RefreshSession>>).refreshSession;
}

/** Seconds before its end from which on a token is not used any more: a request may take a while to arrive. */
const MARGIN_S = 15;

/** A token with its end by this device's own clock, which may go wrong without harm: its lifetime is in the token. */
export function accessOf(token: string): Access {
  const { iat = 0, exp = 0 } = readClaims(token);
  const lifetime = exp - iat;
  const used = lifetime - Math.min(MARGIN_S, lifetime / 4);
  return { token, until: lifetime > 0 ? Date.now() + used * 1000 : Number.POSITIVE_INFINITY };
}

function readClaims(token: string): { iat?: number; exp?: number } {
  try {
    return JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return {};
  }
}
