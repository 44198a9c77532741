import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One kept connection, with one request on it at a time. */
export interface Connection {
  /** Sends a whole HTTP/1.1 request, and resolves with the whole answer when its last byte is there. */
  send(request: Buffer): Promise<Buffer>;
  close(): void;
}

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/**
 * Opens a connection that does no more than it must, so that the generator takes little from PostgreSQL, with which it
 * shares a core: node's own client costs as much as a small answer.
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  let received: Buffer[] = [];
  let waiting: { resolve(answer: Buffer): void; reject(error: Error): void } | null = null;
  let length: number | null = null;
  let total = 0;

  const fail = (error: Error): void => waiting?.reject(error);
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    total += chunk.length;
    length ??= lengthOf(received);
    const done = length === null ? false : length === CHUNKED ? endsLast(received) : total >= length;
    if (!done) return;
    const answer = received.length === 1 ? chunk : Buffer.concat(received);
    received = [];
    total = 0;
    length = null;
    const { resolve } = waiting ?? {};
    waiting = null;
    resolve?.(answer);
  });
  return { send: (request) => ask(socket, request, (asking) => (waiting = asking)), close: () => socket.destroy() };
}

function ask(
  socket: Socket,
  request: Buffer,
  wait: (asking: { resolve(answer: Buffer): void; reject(error: Error): void }) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    wait({ resolve, reject });
    socket.write(request);
  });
}

const CHUNKED = -1;

/** How long head and body are together; null while the head is not complete. */
function lengthOf(received: Buffer[]): number | null {
  const start = received.length === 1 ? received[0] : Buffer.concat(received);
  const end = start?.indexOf(HEAD_END) ?? -1;
  if (!start || end < 0) return null;
  const head = start.toString('latin1', 0, end);
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (length !== undefined) return end + HEAD_END.length + Number(length);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return CHUNKED;
  throw new Error(`an answer without a length: ${head}`);
}

/** No JSON holds a line break of HTTP's kind, so the last chunk cannot be mistaken. */
function endsLast(received: readonly Buffer[]): boolean {
  const tail = Buffer.concat(received.slice(-2).map((chunk) => chunk.subarray(-LAST_CHUNK.length)));
  return tail.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
}
