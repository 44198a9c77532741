import { randomInt } from 'node:crypto';
import type { Context } from '../../context.ts';
import { describeFault } from '../../graphql/errors.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { Mail } from '../../ports.ts';
import { identityErrors } from '../errors.ts';
import { cleanEmail } from './cleanEmail.ts';
import { liftLimit } from './liftLimit.ts';
import { requireFreshProof } from './requireFreshProof.ts';
import { writeCodeMail } from './writeCodeMail.ts';

/** A code is good for this long. */
const CODE_SECONDS = 600;
/** When trying again makes sense after a mail was not sent, in seconds. */
const RETRY_AFTER = 10;

/** A code that is on its way. */
export interface SentCode {
  /** The address in the spelling that it is stored in. */
  readonly email: string;
  readonly expiresAt: Date;
}

/** What was given, or how long to wait for it. */
interface Given {
  readonly id: string;
  readonly expiresAt: Date;
  readonly wait: number;
}

/**
 * Sends a code to an e-mail address, by which the signed-in user can prove that they read what comes there. Whether the
 * address belongs to anybody here makes no difference. The mail is sent when the code is stored and nothing is held.
 * @throws STEP_UP_REQUIRED, MAIL_NOT_CONFIGURED, RATE_LIMITED, MAIL_UNAVAILABLE
 */
export async function createEmailCode(context: Context, input: { readonly email: string }): Promise<SentCode> {
  const { scope, mailSender, environment, client } = context;
  const { userId } = await requireFreshProof(context, scope.db);
  if (!mailSender) throw identityErrors.MAIL_NOT_CONFIGURED();
  const email = cleanEmail(input.email);
  const code = String(randomInt(100_000_000)).padStart(8, '0');
  const hash = context.digestCode(`${userId} ${email} ${code}`);
  const allowed = liftLimit(context, environment.LIMIT_EMAIL_CODES_PER_HOUR);
  const allowedClient = liftLimit(context, environment.LIMIT_EMAIL_CODES_PER_CLIENT_PER_HOUR);
  const [[given], asking] = await scope.write((tx) => [
    tx.$queryRaw<[Given]>`
      /* giveEmailCode */
      select id, expires_at as "expiresAt", wait
      from give_email_code(
        ${email}, ${hash}::bytea, ${CODE_SECONDS}::int, ${allowed}::int,
        ${sha256(`e-mail codes of client ${client.limitKey}`)}::bytea, ${allowedClient}::int
      )`,
    tx.user.findUniqueOrThrow({
      where: { id: userId },
      select: {
        displayName: true,
        identities: { where: { isPrimary: true }, select: { address: true }, take: 1 },
      },
    }),
  ]);
  if (given.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: given.wait }, { retryAfter: given.wait });
  const { displayName, identities } = asking;
  const address = identities[0]?.address ?? null;
  const mail = writeCodeMail(context, { to: email, code, minutes: CODE_SECONDS / 60, displayName, address });
  await hand(context, mail, given.id);
  return { email, expiresAt: given.expiresAt };
}

/** What could not be handed over is taken back, so that it does not count. */
async function hand({ mailSender, scope, log, requestId }: Context, mail: Mail, codeId: string): Promise<void> {
  try {
    await mailSender?.send(mail);
  } catch (cause) {
    log.error({ err: describeFault(cause), requestId }, 'a mail could not be handed over');
    await scope.write((tx) => [
      tx.$queryRaw`
        /* takeBackEmailCode */
        select from take_back_email_code(${codeId}::uuid)`,
    ]);
    throw identityErrors.MAIL_UNAVAILABLE({}, { retryAfter: RETRY_AFTER });
  }
}
