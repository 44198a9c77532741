import type { Mail, MailSender } from '../../ports.ts';

const MOST_KEPT = 100;

/** Mails that nobody delivers: those of a development checkout. */
export interface Outbox extends MailSender {
  /** The latest ones, the oldest first. */
  readonly mails: readonly Mail[];
}

/**
 * Keeps mails in memory instead of delivering them.
 * @param print shows each to whoever runs the gateway
 */
export function createOutbox(print: (mail: Mail) => void): Outbox {
  const mails: Mail[] = [];
  return {
    mails,
    async send(mail) {
      mails.push(mail);
      if (mails.length > MOST_KEPT) mails.shift();
      print(mail);
    },
  };
}
