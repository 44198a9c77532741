import { type Session, type SessionReason, TollhouseError } from '../client/tollhouseClient.ts';

/** A sentence about what has just happened; what went wrong is said at once. */
export interface Notice {
  readonly tone: 'quiet' | 'warning';
  readonly text: string;
}

/** What there is to say of a change of session. */
export function showChange(session: Session | null, reason: SessionReason): Notice {
  if (!session) {
    return reason === 'ended'
      ? { tone: 'warning', text: 'The session is over: it was ended elsewhere, or has lasted its time. Sign in again.' }
      : { tone: 'quiet', text: 'Signed out.' };
  }
  const { user, organization, isNewUser } = session;
  if (reason === 'switched') return { tone: 'quiet', text: `Now in ${organization.name}.` };
  const newcomer = isNewUser ? ' This wallet was new here: a user and an organization were made for it.' : '';
  return { tone: 'quiet', text: `Signed in as ${user.displayName}.${newcomer}` };
}

/** What there is to say of a failure: what happened, what to do about it, and the code to find it by. */
export function showFailure(error: unknown): Notice {
  if (!(error instanceof TollhouseError)) return { tone: 'warning', text: String(error) };
  const { code, message, remedy, cause } = error;
  if (code === 'WALLET_REFUSED') return { tone: 'quiet', text: 'You refused in the wallet, and nothing was done.' };
  if (code === 'WALLET_FAILED' && cause instanceof Error) {
    return { tone: 'warning', text: `The wallet could not sign: ${cause.message}` };
  }
  return { tone: 'warning', text: `${message} ${remedy ?? ''} (${code})` };
}
