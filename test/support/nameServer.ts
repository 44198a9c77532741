import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A server of the name system on this machine: it speaks the real protocol, and knows what a test tells it. */
export interface NameServer {
  /** As DNS_SERVERS names it. */
  readonly address: string;
  /** TXT records by name; a name that is not here does not exist. */
  readonly texts: Map<string, readonly string[]>;
  /** How it answers: as it should, that it failed, or not at all. */
  mood: 'well' | 'failing' | 'silent';
  /** How often it was asked for this name. */
  asked(name: string): number;
  stop(): Promise<void>;
}

const TXT = 16;
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

/** Starts one on a free port. */
export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4');
  const questions = new Map<string, number>();
  const server: NameServer = {
    address: '',
    texts: new Map(),
    mood: 'well',
    asked: (name) => questions.get(name) ?? 0,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query);
    questions.set(name, (questions.get(name) ?? 0) + 1);
    if (server.mood === 'silent') return;
    const texts = server.mood === 'well' ? server.texts.get(name) : undefined;
    const code = server.mood === 'failing' ? SERVER_FAILURE : texts ? NO_ERROR : NO_SUCH_NAME;
    socket.send(answerTo(query.subarray(0, end + 4), code, texts ?? []), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return Object.assign(server, { address: `127.0.0.1:${socket.address().port}` });
}

/** The name that is asked for, and where it ends (RFC 1035, 4.1.2). */
function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let place = 12;
  for (let length = query[place] ?? 0; length > 0; length = query[place] ?? 0) {
    labels.push(query.toString('latin1', place + 1, place + 1 + length));
    place += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: place + 1 };
}

/** The question again, with a record for each text; a text longer than 255 bytes comes in pieces. */
function answerTo(question: Buffer, code: number, texts: readonly string[]): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(texts.length, 6);
  header.writeUInt32BE(0, 8);
  const records = texts.map((text) => {
    const pieces = Buffer.concat(
      (text.match(/.{1,255}/gs) ?? ['']).map((piece) => Buffer.from([piece.length, ...Buffer.from(piece, 'latin1')])),
    );
    const record = Buffer.alloc(12);
    // the name is that of the question
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(TXT, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(pieces.length, 10);
    return Buffer.concat([record, pieces]);
  });
  return Buffer.concat([header, question.subarray(12), ...records]);
}
