// A proxy in front of PostgreSQL, in a process of its own: it passes everything on after a while, in each direction, and
// counts what the frontend asks. One port for each system, so that each has its own count.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { createDelay, type Delay } from './delay.ts';
import { countMessages, type MessageCount } from './messageCount.ts';

/** What the proxy is told. */
export type ProxyMessage =
  /** Answered with the port that a client takes instead of `port`. */
  | { readonly kind: 'open'; readonly name: string; readonly port: number }
  /** How long each packet is held, in each direction. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Answered with the messages of this name so far. */
  | { readonly kind: 'count'; readonly name: string };

const counts = new Map<string, MessageCount>();
const delay: Delay = createDelay();

function open(name: string, target: number): Promise<number> {
  const count: MessageCount = { statements: 0, roundTrips: 0 };
  counts.set(name, count);
  const server = createServer({ noDelay: true }, (client) => {
    const database = connect({ host: '127.0.0.1', port: target, noDelay: true });
    const read = countMessages(count);
    client.on('data', read);
    pass(client, database);
    pass(database, client);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function pass(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => delay.after(() => to.write(chunk)));
  from.on('end', () => delay.after(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => delay.after(() => to.destroy()));
}

process.on('message', (message: ProxyMessage) => {
  if (message.kind === 'open') {
    void open(message.name, message.port).then((port) => process.send?.({ port }));
  } else if (message.kind === 'delay') {
    delay.set(message.ms);
    process.send?.({});
  } else {
    process.send?.({ ...counts.get(message.name) });
  }
});
process.once('disconnect', () => process.exit());
process.send?.({});
