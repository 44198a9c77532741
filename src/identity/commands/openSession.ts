import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { SessionViewer } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { accountLinked, userSignedUp } from '../events.ts';
import { type ProvedWallet, shortAddress, writeRefreshToken } from '../model.ts';
import { addIdentities } from './addIdentities.ts';
import type { SignInDomain } from './findSignInDomain.ts';
import { requireInvitation } from './requireInvitation.ts';
import { signUp } from './signUp.ts';

/** A session that has just begun, or been refreshed. */
export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: Date;
  readonly isNewUser: boolean;
  readonly viewer: SessionViewer;
}

/**
 * Finds or makes the user of a wallet that was just proved, and begins a session in its first organization. What was
 * proved together with the wallet is added to whoever signs up, and to nobody else.
 * @param own the organization's own domain that it was proved on: the session is bound to that organization; null for
 * an origin of everybody's
 * @param invitation the token that a stranger signs up by where strangers must be invited; null without one
 * @throws DOMAIN_SIGN_IN_REFUSED to whoever is not an active member there
 */
export async function openSession(
  context: Context,
  wallet: ProvedWallet,
  own: SignInDomain | null,
  invitation: string | null,
): Promise<SignedIn> {
  const sessionId = newId();
  const newcomer = { userId: newId(), organizationId: newId() };
  const scope = context.identityScope({ sessionId, account: wallet, beside: wallet.beside, newcomer });
  const refreshToken = writeRefreshToken({
    sessionId,
    generation: 0,
    secret: randomBytes(32).toString('base64url'),
  });
  const begun = { sessionId, refreshHash: sha256(refreshToken), wallet, own };

  const [[known]] = await scope.write((tx) => [beginSession(context, tx, begun)]);
  if (own && !known) throw identityErrors.DOMAIN_SIGN_IN_REFUSED();
  if (known?.organizationId && !known.active) throw databaseErrors.ORGANIZATION_SUSPENDED();
  refuseWaiting(known);
  const home = known?.active
    ? known
    : await scope.transaction((tx) => settle(context, tx, { ...begun, known, newcomer, invitation }));

  const viewer = { sessionId, userId: home.userId, organizationId: home.organizationId ?? newcomer.organizationId };
  const { token, expiresAt } = await context.tokens.issue(viewer);
  context.become(viewer);
  return { accessToken: token, refreshToken, expiresAt: new Date(expiresAt), isNewUser: !known, viewer };
}

/** Where a proved wallet's user works: what was found when the session was begun, or not begun for want of it. */
interface Home {
  readonly userId: string;
  readonly organizationId: string | null;
  /** Whether that organization is neither suspended nor gone; then, and with nothing to wait for, the session has begun. */
  readonly active: boolean;
  /** Seconds until the wallet, or the organization, begins further sessions; 0 while it does. */
  readonly wait: number;
}

/** A session that is to begin, and what proves it. */
interface Begun {
  readonly sessionId: string;
  readonly refreshHash: Buffer;
  readonly wallet: ProvedWallet;
  readonly own: SignInDomain | null;
}

/**
 * Begins a session of the identity that the scene names, in the organization its user works in: an active one, the
 * oldest first; and leaves the attempt in the trail. Where the user has as many sessions as there may be, one of them
 * ends. Whoever has no such organization gets no session here. A rival's
 * sign-up that was committed after the scene was entered is not seen, where its user could not be either; the unique
 * index tells of it.
 */
function beginSession(context: Context, tx: Transaction, begun: Begun): Deed<Home[]> {
  const { sessionId, refreshHash, wallet, own } = begun;
  const { client, environment, requestId } = context;
  // a proof has succeeded before these are counted: a stranger uses up neither a wallet's sign-ins nor an organization's
  const lifted = environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS;
  const allowed = lifted ? null : environment.LIMIT_SIGN_INS_PER_ORGANIZATION_PER_MINUTE;
  const proofs = lifted ? null : environment.LIMIT_SIGN_INS_PER_MINUTE;
  const sessions = lifted ? null : environment.LIMIT_SESSIONS_PER_USER;
  return tx.$queryRaw<Home[]>`
    /* beginSession */
    with home as (
      select
        i.id as identity_id,
        i.user_id,
        o.id as organization_id,
        coalesce(o.status = 'ACTIVE', false) as active
      from identities i
      left join memberships m on m.user_id = i.user_id and m.status = 'ACTIVE'
      left join organizations o on o.id = m.organization_id
      where i.issuer = ${wallet.issuer} and i.subject = ${wallet.subject} and i.user_id = (select current_user_id())
        and (${own?.organizationId ?? null}::uuid is null or o.id = ${own?.organizationId ?? null}::uuid)
      order by active desc, o.id is null, m.created_at
      limit 1
    ),
    proved as materialized (
      select case when ${proofs}::int is null then 0 else take_proof(${proofs}::int) end as wait
      from home
      where active
    ),
    counted as materialized (
      select case
        when proved.wait > 0 or ${allowed}::int is null then proved.wait
        else take_rate_limit(sha256(convert_to('sign-ins organization ' || organization_id, 'UTF8')), ${allowed}::int, 60)
      end as wait
      from home, proved
    ),
    room as materialized (
      select make_room_for_session(${sessions}::int) from counted where wait = 0
    ),
    begun as (
      insert into sessions (
        id, user_id, identity_id, organization_id, refresh_hash, client_address, user_agent, expires_at,
        proved_at, proof_message, proof_signature, domain_id
      )
      select
        ${sessionId}::uuid, user_id, identity_id, organization_id,
        ${refreshHash}::bytea, ${client.address}, ${client.userAgent?.slice(0, 500) ?? null},
        clock_timestamp() + make_interval(days => ${environment.SESSION_DAYS}::int),
        case when ${wallet.isSigned}::boolean then transaction_timestamp() else 'epoch' end,
        ${wallet.proof?.message ?? null}, decode(${wallet.proof?.signature.slice(2) ?? null}, 'hex'),
        ${own?.domainId ?? null}::uuid
      from home, room
    ),
    trail as (
      insert into sign_in_attempts (outcome, domain, chain_id, address, user_id, client_address, request_id)
      select
        'OK', ${wallet.domain}, ${wallet.chainId}::bigint, ${wallet.address}, user_id, ${client.address}, ${requestId}
      from home, counted
      where active and wait = 0
    )
    select user_id as "userId", organization_id as "organizationId", active, coalesce(wait, 0) as wait
    from home
    left join counted on true`;
}

function refuseWaiting({ wait }: Pick<Home, 'wait'> = { wait: 0 }): void {
  if (wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: wait }, { retryAfter: wait });
}

/** Signs a stranger up, founds the organization that its user has not, and begins the session there. */
async function settle(
  context: Context,
  tx: Transaction,
  input: Begun & {
    readonly known: Home | undefined;
    readonly newcomer: { readonly userId: string; readonly organizationId: string };
    readonly invitation: string | null;
  },
): Promise<Home> {
  const { known, newcomer, wallet, invitation } = input;
  const { organizationId } = newcomer;
  const userId = known?.userId ?? newcomer.userId;
  const displayName = shortAddress(wallet.address);
  if (!known) {
    if (context.environment.SIGN_UP === 'invite-only') await requireInvitation(tx, invitation);
    await signUp(tx, { userId, identityId: newId(), wallet, displayName });
  }
  await context.foundOrganization(context, tx, { userId, organizationId, displayName });
  if (!known) await appendEvent(context, tx, userSignedUp({ userId, organizationId, address: wallet.address }));
  const [home] = await beginSession(context, tx, input);
  // whoever was here before links such things, with a fresh proof: what they have given up does not come back by itself
  if (!known) await addBeside(context, tx, { wallet, userId, organizationId });
  // Unlinked at this very instant: whose session it was to be is nobody's any more.
  if (!home?.active) throw kernelErrors.FORBIDDEN();
  refuseWaiting(home);
  return home;
}

/** Adds what was proved together with the wallet to its new user, one after the other in one order, and tells of each. */
async function addBeside(
  context: Context,
  tx: Transaction,
  { wallet, ...told }: { readonly wallet: ProvedWallet; readonly userId: string; readonly organizationId: string },
): Promise<void> {
  const nameOf = ({ issuer, subject }: Pick<ProvedWallet, 'issuer' | 'subject'>): string => `${issuer} ${subject}`;
  for (const identity of [...wallet.beside].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))) {
    const account = { ...identity, id: newId() };
    const added = await addIdentities(tx, wallet, [account]);
    if (added > 0) await appendEvent(context, tx, accountLinked({ ...told, account }));
  }
}
