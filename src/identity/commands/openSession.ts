import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { sha256 } from '../../kernel/digest.ts';
import { newId } from '../../kernel/ids.ts';
import type { Viewer } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { userSignedUp } from '../events.ts';
import { type ProvedWallet, shortAddress, writeRefreshToken } from '../model.ts';
import { signUp } from './signUp.ts';

/** A session that has just begun, or been refreshed. */
export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: Date;
  readonly isNewUser: boolean;
  readonly viewer: Viewer;
}

/** Finds or makes the user of a wallet that was just proved, and begins a session in its first organization. */
export async function openSession(context: Context, wallet: ProvedWallet): Promise<SignedIn> {
  const sessionId = newId();
  const newcomer = { userId: newId(), organizationId: newId() };
  const scope = context.identityScope({ sessionId, account: wallet, newcomer });
  const refreshToken = writeRefreshToken({
    sessionId,
    generation: 0,
    secret: randomBytes(32).toString('base64url'),
  });

  const { viewer, isNewUser } = await scope.transaction(async (tx) => {
    const known = await findHome(tx, wallet);
    if (known?.organizationId && !known.active) throw databaseErrors.ORGANIZATION_SUSPENDED();
    const home = {
      userId: known?.userId ?? newcomer.userId,
      organizationId: known?.organizationId ?? newcomer.organizationId,
      identityId: known?.identityId ?? newId(),
    };
    const displayName = shortAddress(wallet.address);
    if (!known) {
      if (context.environment.SIGN_UP === 'invite-only') throw identityErrors.SIGN_UP_CLOSED();
      await signUp(tx, { ...home, wallet, displayName });
    }
    if (!known?.organizationId) {
      await context.foundOrganization(context, tx, {
        userId: home.userId,
        organizationId: home.organizationId,
        displayName,
      });
    }
    if (!known) await appendEvent(context, tx, userSignedUp({ ...home, address: wallet.address }));
    await tx.$executeRaw`
      /* openSession */
      insert into sessions (
        id, user_id, identity_id, organization_id, refresh_hash, client_address, user_agent, expires_at,
        proof_message, proof_signature
      )
      values (
        ${sessionId}::uuid, ${home.userId}::uuid, ${home.identityId}::uuid, ${home.organizationId}::uuid,
        ${sha256(refreshToken)}::bytea, ${context.client.address}, ${context.client.userAgent?.slice(0, 500) ?? null},
        clock_timestamp() + make_interval(days => ${context.environment.SESSION_DAYS}::int),
        ${wallet.proof?.message ?? null}, decode(${wallet.proof?.signature.slice(2) ?? null}, 'hex')
      )`;
    await tx.signInAttempt.createMany({
      data: {
        outcome: 'OK',
        domain: wallet.domain,
        chainId: wallet.chainId,
        address: wallet.address,
        userId: home.userId,
        clientAddress: context.client.address,
        requestId: context.requestId,
      },
    });
    const viewer = { sessionId, userId: home.userId, organizationId: home.organizationId };
    return { viewer, isNewUser: !known };
  });

  const { token, expiresAt } = await context.tokens.issue(viewer);
  context.become(viewer);
  return { accessToken: token, refreshToken, expiresAt: new Date(expiresAt), isNewUser, viewer };
}

interface Home {
  readonly identityId: string;
  readonly userId: string;
  readonly organizationId: string | null;
  /** Whether that organization is neither suspended nor gone. */
  readonly active: boolean;
}

/**
 * The identity that the scene names, with the organization its user works in: an active one, the oldest first. A
 * rival's sign-up that was committed after the scene was entered is not seen here, where its user could not be either;
 * the unique index tells of it.
 */
async function findHome(
  tx: Transaction,
  { issuer, subject }: Pick<ProvedWallet, 'issuer' | 'subject'>,
): Promise<Home | undefined> {
  const [home] = await tx.$queryRaw<Home[]>`
    /* findHome */
    select
      i.id as "identityId",
      i.user_id as "userId",
      o.id as "organizationId",
      coalesce(o.status = 'ACTIVE', false) as active
    from identities i
    left join memberships m on m.user_id = i.user_id and m.status = 'ACTIVE'
    left join organizations o on o.id = m.organization_id
    where i.issuer = ${issuer} and i.subject = ${subject} and i.user_id = (select current_user_id())
    order by active desc, o.id is null, m.created_at
    limit 1`;
  return home;
}
