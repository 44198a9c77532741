import { type Pass, takePass } from './access.ts';
import { readDocument } from './document.ts';
import { withoutHeld } from './keyring.ts';
import { SignOut } from './operations.ts';
import { request } from './request.ts';
import { become, type ClientContext, type SessionReason, type State } from './state.ts';
import { hasCode } from './tollhouseError.ts';

/**
 * Ends the session, and all that were switched to since signing in. The tokens are forgotten whatever happens; where the
 * gateway could not be told, that is thrown, and the session lasts until its end. Whoever signs in meanwhile stays.
 */
export function signOut(client: ClientContext, given: Given): Promise<void> {
  const done = leave(client, given);
  client.state.signedOut = done.catch(() => undefined);
  return done;
}

interface Given {
  readonly signal?: AbortSignal | undefined;
}

async function leave(client: ClientContext, { signal }: Given): Promise<void> {
  const { state } = client;
  let leaving = whoIsThere(state);
  let reason: SessionReason = 'signedOut';
  state.signingOut = leaving.epoch;
  try {
    // A page that has yet to go on with a session ends that one.
    if (state.session === null) {
      await takePass(client, signal);
      leaving = whoIsThere(state);
      state.signingOut = leaving.epoch;
    }
    await request(client, { operation: readDocument(SignOut), variables: {}, signal, as: leaving });
  } catch (error) {
    // Then there is nothing to end.
    if (!hasCode(error, 'SESSION_ENDED', 'UNAUTHENTICATED')) throw error;
    reason = 'ended';
  } finally {
    await forget(client, leaving, reason);
    if (state.signingOut === leaving.epoch) state.signingOut = null;
  }
}

/** Who it was that signs out. */
interface Leaving extends Pass {
  readonly family: string | null;
}

function whoIsThere({ family, epoch, access }: State): Leaving {
  return { family, epoch, token: access?.token ?? null };
}

async function forget(client: ClientContext, { family, epoch }: Leaving, reason: SessionReason): Promise<void> {
  await client.keyring.change((ring, save) => {
    const root = ring.held.find((one) => one.family === family)?.root;
    return save(withoutHeld(ring, (one) => one.root === root));
  });
  if (client.state.epoch === epoch) become(client, { session: null, family: null, access: null }, reason);
}
