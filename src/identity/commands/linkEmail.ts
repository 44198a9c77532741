import { timingSafeEqual } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { identityErrors } from '../errors.ts';
import { identityLinked } from '../events.ts';
import { EMAIL_ISSUER } from '../model.ts';
import { cleanEmail } from './cleanEmail.ts';
import { liftLimit } from './liftLimit.ts';
import { lockWallets } from './lockWallets.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { tellOrganizations } from './tellOrganizations.ts';

/** An identity that is the user's now. */
export interface LinkedIdentity {
  readonly identityId: string;
  /** Whether it was so before, and nothing changed. */
  readonly alreadyLinked: boolean;
}

/**
 * Makes an e-mail address the signed-in user's, by the code that was sent there. The scene carries the address, and the
 * database lets the session's user have that one and no other. Whoever reads another user's mail gets no ticket to merge
 * with them: an address signs nobody in, and must not be worth an account.
 * @throws STEP_UP_REQUIRED, RATE_LIMITED, EMAIL_CODE_INVALID, IDENTITY_LINKED_TO_OTHER_USER
 */
export async function linkEmail(
  context: Context,
  input: { readonly email: string; readonly code: string },
): Promise<LinkedIdentity> {
  const { userId } = await requireFreshProof(context, context.scope.db);
  const email = cleanEmail(input.email);
  const codeId = await findCode(context, { userId, email, code: input.code.trim() });
  const scope = context.provedScope({ issuer: EMAIL_ISSUER, subject: email });
  const linked = await scope.transaction(async (tx) => {
    await lockWallets(tx, userId);
    await useCode(tx, codeId);
    const added = await addEmail(tx, email, userId);
    if (added === null) return findOwn(tx, email);
    await tellOrganizations(context, tx, (organizationId) =>
      identityLinked({ organizationId, userId, identityId: added, kind: 'EMAIL', issuer: EMAIL_ISSUER }),
    );
    return { identityId: added, alreadyLinked: false };
  });
  if (!linked) throw identityErrors.IDENTITY_LINKED_TO_OTHER_USER();
  return linked;
}

/**
 * The code's row, if it is the right one; the try is counted and committed before anything is compared. What is counted
 * of one user at one address is never lifted, since a code can be guessed.
 */
async function findCode(
  context: Context,
  { userId, email, code }: { readonly userId: string; readonly email: string; readonly code: string },
): Promise<string> {
  const { client, environment } = context;
  const { LIMIT_EMAIL_TRIES_PER_HOUR: allowed, LIMIT_EMAIL_TRIES_PER_CLIENT_PER_HOUR: ofClient } = environment;
  const [[tried]] = await context.scope.write((tx) => [
    tx.$queryRaw<[{ wait: number; id: string | null; codeHash: Uint8Array | null }]>`
      /* tryEmailCode */
      select wait, id, code_hash as "codeHash"
      from try_email_code(
        ${email}, ${allowed}::int, ${sha256(`e-mail tries of client ${client.limitKey}`)}::bytea,
        ${liftLimit(context, ofClient)}::int
      )`,
  ]);
  if (tried.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: tried.wait }, { retryAfter: tried.wait });
  const given = context.digestCode(`${userId} ${email} ${code}`);
  // compared even where there is none, so that both take as long
  const right = timingSafeEqual(given, tried.codeHash ?? Buffer.alloc(given.length));
  if (!right || tried.id === null) throw identityErrors.EMAIL_CODE_INVALID();
  return tried.id;
}

/** Of many at one instant one has it. */
async function useCode(tx: Transaction, codeId: string): Promise<void> {
  const [{ used }] = await tx.$queryRaw<[{ used: boolean }]>`
    /* useEmailCode */
    select use_email_code(${codeId}::uuid) as used`;
  if (!used) throw identityErrors.EMAIL_CODE_INVALID();
}

/** The new row's id; null when somebody has the address, perhaps the user. */
async function addEmail(tx: Transaction, email: string, userId: string): Promise<string | null> {
  const [added] = await tx.$queryRaw<{ id: string }[]>`
    /* linkEmail */
    insert into identities (id, user_id, kind, issuer, subject, email, email_verified, is_primary)
    values (${newId()}::uuid, ${userId}::uuid, 'EMAIL', ${EMAIL_ISSUER}, ${email}, ${email}, true, false)
    on conflict (issuer, subject) do nothing
    returning id`;
  return added?.id ?? null;
}

async function findOwn(tx: Transaction, email: string): Promise<LinkedIdentity | null> {
  const [own] = await tx.$queryRaw<{ id: string }[]>`
    /* findOwnEmail */
    select id
    from identities
    where issuer = ${EMAIL_ISSUER} and subject = ${email} and user_id = (select current_user_id())`;
  return own ? { identityId: own.id, alreadyLinked: true } : null;
}
