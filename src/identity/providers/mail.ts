import type { Logger } from 'pino';
import type { Environment } from '../../environment.ts';
import type { MailSender } from '../../ports.ts';
import { createOutbox } from './outbox.ts';
import { createSmtpSender } from './smtp.ts';

const THIS_MACHINE = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Who sends mails: the server of SMTP_URL; without one the log, where they can be read, and in production nobody, since
 * a log must not hold codes there.
 */
export function createMailSender(
  environment: Pick<Environment, 'SMTP_URL' | 'MAIL_FROM' | 'TOLLHOUSE_UNSAFE_SMTP_WITHOUT_TLS' | 'production'>,
  log: Pick<Logger, 'info'>,
): MailSender | null {
  const { SMTP_URL: url, MAIL_FROM: from, TOLLHOUSE_UNSAFE_SMTP_WITHOUT_TLS: unsafe, production } = environment;
  if (url !== undefined && from !== undefined) {
    return createSmtpSender({ url, from, withoutTls: unsafe || THIS_MACHINE.test(new URL(url).hostname) });
  }
  if (production) return null;
  return createOutbox(({ to, subject, text }) => log.info({ to, subject, text }, 'a mail that nobody delivers here'));
}
