import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Milliseconds that we wait for others. */
export interface Patience {
  /** For the head of a request. */
  readonly head: number;
  /** For the whole of a request. */
  readonly request: number;
  /** For the next request on a connection; longer than the minute that proxies commonly keep theirs. */
  readonly next: number;
  /** For what runs, once we are told to end. */
  readonly drain: number;
  /** For a client to take what a stream has for it. */
  readonly stalled: number;
}

/** How long a server waits when nothing else is said. */
export const PATIENCE: Patience = { head: 10_000, request: 30_000, next: 65_000, drain: 10_000, stalled: 60_000 };

/** A bound port. */
export interface Listener {
  readonly port: number;
  /** Takes no new connection, ends idle ones at once, lets finish what runs; resolves when all are gone. */
  drain(): Promise<void>;
}

/** What is done with requests, and with what is no HTTP request at all. */
export interface Receiver {
  receive(request: IncomingMessage, response: ServerResponse): void;
  /** The body of an answer to bytes that are no request; `status` says why. */
  refuse(status: number, socket: Socket): string;
}

const STATUS_BY_FAULT: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** Binds a port, the given one or with 0 a free one. */
export async function openListener(
  { host, port }: { host: string; port: number },
  receiver: Receiver,
  patience: Patience,
): Promise<Listener> {
  const server = createServer({
    headersTimeout: patience.head,
    requestTimeout: patience.request,
    keepAliveTimeout: patience.next,
    connectionsCheckingInterval: Math.ceil(patience.head / 5),
    // The Host header decides nothing here, and whoever leaves it out is answered in JSON like everybody else.
    requireHostHeader: false,
  });
  const sockets = new Set<Socket>();
  const running = new Set<ServerResponse>();
  let draining: Promise<void> | undefined;

  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    running.add(response);
    response.once('close', () => running.delete(response));
    if (draining !== undefined) response.shouldKeepAlive = false;
    receiver.receive(request, response);
  };
  server.on('request', receive);
  server.on('checkExpectation', receive);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const begun = [...running].some((response) => response.socket === socket && response.headersSent);
    // Browsers open connections that they may never use.
    const silent = socket.bytesRead === 0;
    if (begun || silent || !socket.writable || error.code === 'ECONNRESET') return socket.destroy();
    const status = STATUS_BY_FAULT[error.code ?? ''] ?? 400;
    const body = receiver.refuse(status, socket);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  });

  async function drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const busy = new Set([...running].map((response) => response.socket));
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    for (const response of running) {
      response.shouldKeepAlive = false;
      // A stream of events ends only when it is ended; its client comes back, to another gateway.
      if (response.getHeader('content-type') === 'text/event-stream') response.destroy();
    }
    const patienceEnds = setTimeout(() => server.closeAllConnections(), patience.drain);
    await closed;
    clearTimeout(patienceEnds);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    drain: () => {
      draining ??= drain();
      return draining;
    },
  };
}
