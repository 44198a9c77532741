import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request, as the gateway got it. */
interface Passed {
  readonly operation: string;
  readonly authorization: string | undefined;
  readonly key: string | undefined;
}

/** A proxy in front of a gateway, which has bad hours, and moves to another gateway. */
export interface Door {
  readonly url: string;
  /** What has come through, in that order. */
  readonly passed: Passed[];
  /** Operations whose next answer is lost on its way, after the gateway has given it; one entry, one answer. */
  readonly losing: string[];
  /** How many requests are yet to be answered by the proxy itself, with a 503 that is no answer of GraphQL. */
  away: number;
  /** Cuts all streams and answers that are under way. */
  cut(): void;
  /** From now on asks the gateway that listens there. */
  moveTo(url: string): void;
  stop(): Promise<void>;
}

/** Opens one on a free port. */
export async function openDoor({ url }: { readonly url: string }): Promise<Door> {
  let target = url;
  const server = createServer((asked, answer) => void pass(door, target, asked, answer).catch(() => answer.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const door: Door = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    passed: [],
    losing: [],
    away: 0,
    cut: () => server.closeAllConnections(),
    moveTo(next) {
      target = next;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return door;
}

async function pass(door: Door, target: string, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const body = await text(asked);
  const { authorization, 'idempotency-key': key } = asked.headers;
  const operation: string = JSON.parse(body).operationName;
  door.passed.push({ operation, authorization, key: key as string | undefined });
  if (door.away > 0) {
    door.away -= 1;
    answer.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Service unavailable</h1>');
    return;
  }
  const onward = request(target, { method: 'POST', headers: asked.headers });
  answer.once('close', () => onward.destroy());
  onward.end(body);
  const [given] = (await once(onward, 'response')) as [IncomingMessage];
  const lost = door.losing.indexOf(operation);
  if (lost >= 0) {
    door.losing.splice(lost, 1);
    await text(given);
    answer.destroy();
    return;
  }
  answer.writeHead(given.statusCode ?? 502, given.headers);
  given.on('error', () => answer.destroy()).pipe(answer);
}
