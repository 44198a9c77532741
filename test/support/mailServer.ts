import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** A mail as the server was handed it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body, as they came over the line, dots unstuffed. */
  readonly data: string;
  /** Who had logged in; null when nobody had. */
  readonly user: string | null;
}

/** How the server behaves, where not as it should. */
export interface Moods {
  /** A command that is refused, and the reply. */
  refuse?: { readonly verb: string; readonly reply: string } | undefined;
  /** Whether it takes mails only after a login, by `AUTH PLAIN`. */
  login?: { readonly user: string; readonly password: string } | undefined;
  /** Whether it says that it can STARTTLS. */
  offersTls?: boolean;
  /** Whether it says nothing, not even who it is. */
  silent?: boolean;
}

/** A server of mails on this machine: it speaks as much of RFC 5321 as a client needs to hand a mail over. */
export interface MailServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** The verbs that were said, in their order. */
  readonly heard: string[];
  mood: Moods;
  stop(): Promise<void>;
}

/** What one connection has said so far. */
interface Talk {
  from: string;
  to: string[];
  user: string | null;
  data: string[] | null;
}

/** Starts one on a free port. */
export async function startMailServer(mood: Moods = {}): Promise<MailServer> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy()));
    attend(socket, server);
  });
  const server: MailServer = {
    port: 0,
    mails: [],
    heard: [],
    mood,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return Object.assign(server, { port: (listener.address() as { port: number }).port });
}

function attend(socket: Socket, server: MailServer): void {
  if (server.mood.silent) return;
  const talk: Talk = { from: '', to: [], user: null, data: null };
  let unread = '';
  socket.setEncoding('utf8').write('220 mail.example ESMTP\r\n');
  socket.on('data', (chunk) => {
    unread += chunk;
    for (let end = unread.indexOf('\r\n'); end >= 0; end = unread.indexOf('\r\n')) {
      const line = unread.slice(0, end);
      unread = unread.slice(end + 2);
      const reply = talk.data ? takeText(line, talk, server) : answerTo(line, talk, server);
      if (reply) socket.write(`${reply}\r\n`);
      if (reply?.startsWith('221')) socket.end();
    }
  });
}

/** One line of a mail's text; a dot alone ends it (RFC 5321, 4.5.2). */
function takeText(line: string, talk: Talk, { mails }: MailServer): string | null {
  if (line !== '.') {
    talk.data?.push(line.replace(/^\./, ''));
    return null;
  }
  const { from, to, user, data } = talk;
  mails.push({ from, to, user, data: data?.map((each) => `${each}\n`).join('') ?? '' });
  Object.assign(talk, { from: '', to: [], data: null });
  return '250 it is taken';
}

function answerTo(line: string, talk: Talk, { mood, heard }: MailServer): string {
  const [, verb = '', rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
  const said = verb.toUpperCase();
  heard.push(said);
  if (mood.refuse?.verb === said) return mood.refuse.reply;
  const [, path = ''] = /<([^>]*)>/.exec(rest) ?? [];
  switch (said) {
    case 'EHLO':
      return ['mail.example', ...(mood.offersTls ? ['STARTTLS'] : []), ...(mood.login ? ['AUTH PLAIN'] : []), 'SIZE']
        .map((word, index, all) => `250${index === all.length - 1 ? ' ' : '-'}${word}`)
        .join('\r\n');
    case 'AUTH':
      return logIn(rest, talk, mood);
    case 'MAIL':
      if (mood.login && talk.user === null) return '530 5.7.0 log in first';
      talk.from = path;
      return '250 ok';
    case 'RCPT':
      talk.to.push(path);
      return '250 ok';
    case 'DATA':
      talk.data = [];
      return '354 go on';
    case 'RSET':
    case 'NOOP':
      return '250 ok';
    case 'QUIT':
      return '221 bye';
    default:
      return '502 5.5.2 not here';
  }
}

function logIn(words: string, talk: Talk, { login }: Moods): string {
  const [, user = '', password = ''] = Buffer.from(words.replace(/^PLAIN /i, ''), 'base64')
    .toString()
    .split('\0');
  if (!login || user !== login.user || password !== login.password) return '535 5.7.8 not you';
  talk.user = user;
  return '235 welcome';
}
