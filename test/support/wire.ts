import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What becomes of a connection as soon as its client says something certain.
 * - `unheard`: it is reset, and the server never hears that.
 * - `unanswered`: the server has done it, and the connection is reset in place of its answer.
 * - `half answered`: the answer comes, but for its last message, and then the connection ends.
 * - `dismissed`: the server has done it, and what comes is that an administrator has ended the session.
 * - `silent`: nothing goes to either side any more, and nobody is told.
 */
export type Fate = 'unheard' | 'unanswered' | 'half answered' | 'dismissed' | 'silent';

/** A way to a PostgreSQL that does not always hold. */
export interface Wire {
  /** The same address, by this way. */
  through(url: string): string;
  /** How many clients are connected. */
  clients(): number;
  /** Lets this become of the connection that says the text next, once; resolves when it has. */
  strike(said: string, fate: Fate): Promise<void>;
  /** Lets nothing more pass on the connections of now; later ones are as good as ever. */
  hush(): void;
  /** Ends all connections and takes none any more. */
  close(): Promise<void>;
}

/** What the server says last of all: it has done what it was told, and is ready for more. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);
const READY_LENGTH = 6;

interface Trap {
  readonly said: string;
  readonly fate: Fate;
  sprung(): void;
}

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  silent: boolean;
}

/**
 * Opens a way to the server of this address.
 * @param delay for how many milliseconds an answer is on its way; it is lost when the server ends before
 */
export async function openWire(to: string, { delay = 0 } = {}): Promise<Wire> {
  const { hostname, port } = new URL(to);
  const lines = new Set<Line>();
  const traps: Trap[] = [];
  const listener = createServer((client) => {
    const line: Line = { client, server: connect(Number(port), hostname), silent: false };
    lines.add(line);
    carry(line, traps, delay);
    client.once('close', () => lines.delete(line));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port: own } = listener.address() as AddressInfo;
  return {
    through: (url) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(own) }).href,
    clients: () => lines.size,
    strike: (said, fate) => new Promise((resolve) => traps.push({ said, fate, sprung: resolve })),
    hush() {
      for (const line of lines) line.silent = true;
    },
    async close() {
      listener.close();
      for (const { client, server } of lines) {
        client.destroy();
        server.destroy();
      }
      await once(listener, 'close');
    },
  };
}

function carry(line: Line, traps: Trap[], delay: number): void {
  const { client, server } = line;
  let trap: Trap | undefined;
  const held: Buffer[] = [];
  client.on('data', (chunk) => {
    const index = traps.findIndex(({ said }) => chunk.includes(said));
    if (index >= 0) [trap] = traps.splice(index, 1);
    if (trap?.fate === 'silent') line.silent = true;
    if (trap?.fate === 'unheard') client.resetAndDestroy();
    else if (!line.silent) server.write(chunk);
    if (trap?.fate === 'unheard' || trap?.fate === 'silent') trap.sprung();
  });
  server.on('data', (chunk) => {
    if (line.silent) return;
    if (!trap) return delay ? void setTimeout(() => client.write(chunk), delay) : void client.write(chunk);
    held.push(chunk);
    const answer = Buffer.concat(held);
    if (answer.subarray(-READY_LENGTH).indexOf(READY) !== 0) return;
    answerBy(trap.fate, client, answer);
    trap.sprung();
  });
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.on('error', () => {});
    // A reset stays a reset on the other side.
    socket.on('close', (failed) => (failed ? other.resetAndDestroy() : other.destroySoon()));
  }
}

function answerBy(fate: Fate, client: Socket, answer: Buffer): void {
  if (fate === 'half answered') client.end(answer.subarray(0, -READY_LENGTH));
  else if (fate === 'dismissed') client.end(DISMISSAL);
  else client.resetAndDestroy();
}

const DISMISSAL = ((): Buffer => {
  const fields = ['SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command'];
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
})();
