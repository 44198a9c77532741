import { accessOf } from './access.ts';
import { familyOf, type Held, type Ring, withHeld } from './keyring.ts';
import { type Access, become, type ClientContext, changed, type Session } from './state.ts';

/** A session to go on with. */
export interface Next {
  readonly session: Session;
  /** Its place in the keyring; null where cookies say who asks. */
  readonly family: string | null;
  readonly access: Access | null;
  /** What is to be kept of it, if the keyring does not have it yet. */
  readonly held?: Held;
}

/** A session that has just begun, with its tokens; `root` is the sign-in that it goes back to, if it is none itself. */
export function newSession(given: {
  readonly session: Session;
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  readonly root: string | null;
}): Next {
  const { session, accessToken, refreshToken, root } = given;
  if (!accessToken || !refreshToken) return { session, family: null, access: null };
  const family = familyOf(refreshToken);
  const ids = { userId: session.user.id, organizationId: session.organization.id };
  const held = { family, token: refreshToken, root: root ?? family, ...ids };
  return { session, family, access: accessOf(accessToken), held };
}

/**
 * Goes on as whoever has just signed in. They take the place of who was there, in all tabs: signing out then leaves
 * nothing behind.
 */
export async function goOnAnew(client: ClientContext, next: Next): Promise<void> {
  const { held } = next;
  if (!held) return become(client, next, 'signedIn');
  await client.keyring.change(async (_, save) => {
    await save({ current: held.family, held: [held] });
    become(client, next, 'signedIn');
  });
}

/**
 * Goes on elsewhere, here and for new pages, which never differ.
 * @param epoch who must still be there
 * @throws SESSION_CHANGED, SESSION_ENDED when they are not
 */
export async function goOnElsewhere(client: ClientContext, next: Next, epoch: number): Promise<void> {
  const { keyring, state } = client;
  const { family } = next;
  const isGone = (): boolean => epoch !== state.epoch;
  if (family === null) {
    if (isGone()) throw changed(state.session);
    return become(client, next, 'switched');
  }
  await keyring.change(async (ring, save) => {
    const kept = ringWith(ring, next);
    if (!isGone()) {
      await save({ ...kept, current: family });
      if (!isGone()) return become(client, next, 'switched');
    }
    await save(kept);
    throw changed(state.session);
  });
}

/** What goes back to a sign-in that is not there any more is not kept. */
function ringWith(ring: Ring, { held }: Next): Ring {
  return held && ring.held.some(({ root }) => root === held.root) ? withHeld(ring, held) : ring;
}
