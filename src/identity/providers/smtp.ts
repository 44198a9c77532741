import type { MailSender } from '../../ports.ts';

/** For the server to be reached, to greet, and to say anything at all once it has. */
const PATIENCE_MS = 5_000;

/**
 * Hands mails to a server of SMTP, each over a connection of its own.
 * @param options.url `smtps://` for TLS from the first byte; `smtp://` for TLS by STARTTLS, without which nothing is sent
 * @param options.withoutTls whether `smtp://` goes on in the clear instead, the password too
 */
export function createSmtpSender(options: {
  readonly url: string;
  readonly from: string;
  readonly withoutTls: boolean;
}): MailSender {
  const { from, withoutTls } = options;
  const { protocol, hostname, port, username, password } = new URL(options.url);
  const secure = protocol === 'smtps:';
  const settings = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && !withoutTls,
    ignoreTLS: !secure && withoutTls,
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    dnsTimeout: PATIENCE_MS,
    // a mail is the text that it is given, and never what a path or an address in it stands for
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return {
    async send({ to, subject, text }) {
      // it is large, and most installations never send a mail
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(settings);
      try {
        const headers = { 'Auto-Submitted': 'auto-generated' };
        // as an object, so that it is not taken apart into several
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text, headers });
      } finally {
        transport.close();
      }
    },
  };
}
