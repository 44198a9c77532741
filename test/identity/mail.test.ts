import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMailSender } from '../../src/identity/providers/mail.ts';
import { createOutbox, type Outbox } from '../../src/identity/providers/outbox.ts';
import { createSmtpSender } from '../../src/identity/providers/smtp.ts';
import type { Mail } from '../../src/ports.ts';
import { type MailServer, startMailServer } from '../support/mailServer.ts';

const MAIL: Mail = { to: 'alice@example.org', subject: 'A subject', text: 'A line\n.\n..two dots\nÄ end\n' };
const FROM = 'Tollhouse <no-reply@pay.example>';

let server: MailServer;
beforeEach(async () => {
  server = await startMailServer();
});
afterEach(() => server.stop());

const urlOf = (login = ''): string => `smtp://${login}127.0.0.1:${server.port}`;
const plain = (login = '') => createSmtpSender({ url: urlOf(login), from: FROM, withoutTls: true });

describe('a mail server', () => {
  it('is handed a mail as it was written', async () => {
    await plain().send(MAIL);
    expect(server.mails).toMatchObject([{ from: 'no-reply@pay.example', to: ['alice@example.org'], user: null }]);
    const [{ data } = { data: '' }] = server.mails;
    expect(data).toMatch(/^From: Tollhouse <no-reply@pay\.example>$/m);
    expect(data).toMatch(/^To: alice@example\.org$/m);
    expect(data).toMatch(/^Subject: A subject$/m);
    expect(data).toMatch(/^Auto-Submitted: auto-generated$/m);
    const body = data.slice(data.indexOf('\n\n') + 2);
    expect(decode(body)).toBe(MAIL.text);
  });

  it('that wants a login is given it, with whatever signs the password has', async () => {
    server.mood = { login: { user: 'me@example', password: 'p:/@% ß' } };
    await plain(`me%40example:${encodeURIComponent('p:/@% ß')}@`).send(MAIL);
    expect(server.mails).toMatchObject([{ user: 'me@example' }]);
  });

  it.each([
    ['a wrong password', 'me:wrong@'],
    ['none at all', ''],
  ])('that wants a login takes no mail with %s', async (_, login) => {
    server.mood = { login: { user: 'me', password: 'right' } };
    await expect(plain(login).send(MAIL)).rejects.toThrow();
    expect(server.mails).toEqual([]);
  });

  it.each([
    ['the sender', { verb: 'MAIL', reply: '451 later' }],
    ['the reader', { verb: 'RCPT', reply: '550 nobody of that name' }],
    ['the text', { verb: 'DATA', reply: '554 no' }],
  ])('that refuses %s has not taken it', async (_, refuse) => {
    server.mood = { refuse };
    await expect(plain().send(MAIL)).rejects.toThrow();
    expect(server.mails).toEqual([]);
    server.mood = {};
    await plain().send(MAIL);
    expect(server.mails).toHaveLength(1);
  });

  it('that says nothing is given up', { timeout: 20_000 }, async () => {
    server.mood = { silent: true };
    await expect(plain().send(MAIL)).rejects.toThrow();
  });

  it('that is away is given up', async () => {
    const sender = plain();
    await server.stop();
    await expect(sender.send(MAIL)).rejects.toThrow();
    server = await startMailServer();
  });

  it('never reads a file or an address for what a mail says', async () => {
    await plain().send({ ...MAIL, text: 'path: /etc/hostname href: http://127.0.0.1' });
    expect(server.mails[0]?.data).toContain('path: /etc/hostname href: http://127.0.0.1');
  });

  it('is never handed one mail for several readers', async () => {
    await plain()
      .send({ ...MAIL, to: 'alice@example.org, mallory@example.org' })
      .catch(() => {});
    expect(server.mails.flatMap(({ to }) => to)).not.toContain('mallory@example.org');
  });
});

describe('without TLS', () => {
  it.each([
    ['does not offer it', {}],
    ['offers it and then refuses', { offersTls: true, refuse: { verb: 'STARTTLS', reply: '454 not now' } }],
    [
      'offers it and then speaks on in the clear',
      { offersTls: true, refuse: { verb: 'STARTTLS', reply: '220 go on' } },
    ],
  ])('nothing is sent to a server that %s, no password either', { timeout: 20_000 }, async (_, mood) => {
    server.mood = { ...mood, login: { user: 'me', password: 'secret' } };
    const sender = createSmtpSender({ url: urlOf('me:secret@'), from: FROM, withoutTls: false });
    await expect(sender.send(MAIL)).rejects.toThrow();
    expect(server.mails).toEqual([]);
    expect(server.heard).not.toContain('AUTH');
    expect(server.heard).not.toContain('MAIL');
  });

  it('nothing is sent by smtps:// to a server that does not speak it', async () => {
    const url = `smtps://me:secret@127.0.0.1:${server.port}`;
    for (const withoutTls of [true, false]) {
      await expect(createSmtpSender({ url, from: FROM, withoutTls }).send(MAIL)).rejects.toThrow();
    }
    expect(server.mails).toEqual([]);
    expect(server.heard).not.toContain('AUTH');
  });
});

describe('who sends mails', () => {
  const settings = { SMTP_URL: undefined, MAIL_FROM: undefined, TOLLHOUSE_UNSAFE_SMTP_WITHOUT_TLS: false };
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });

  it('is the server of SMTP_URL, in production too; on this machine in the clear', async () => {
    for (const [production, host] of [
      [false, '127.0.0.1'],
      [true, 'localhost'],
    ] as const) {
      const sender = createMailSender(
        { ...settings, SMTP_URL: `smtp://${host}:${server.port}`, MAIL_FROM: FROM, production },
        log,
      );
      await sender?.send(MAIL);
    }
    expect(server.mails).toHaveLength(2);
  });

  it('is the log outside production, where the mail can be read, and is kept', async () => {
    lines.length = 0;
    const outbox = createMailSender({ ...settings, production: false }, log) as Outbox;
    await outbox.send(MAIL);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([MAIL]);
    expect(outbox.mails).toEqual([MAIL]);
  });

  it('is nobody in production without SMTP_URL, so that no code comes into a log', () => {
    expect(createMailSender({ ...settings, production: true }, log)).toBeNull();
  });

  it('keeps the latest hundred', async () => {
    const outbox = createOutbox(() => {});
    for (let turn = 0; turn < 103; turn += 1) await outbox.send({ ...MAIL, subject: String(turn) });
    expect(outbox.mails.map(({ subject }) => subject)).toEqual(Array.from({ length: 100 }, (_, n) => String(n + 3)));
  });
});

/** The text of a quoted-printable body (RFC 2045, 6.7). */
function decode(body: string): string {
  const bytes = body
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number(`0x${hex}`)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
