import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** How a node can be: as it is, away, silent, or with an error for every question. */
export type Mood = 'well' | 'away' | 'silent' | 'failing' | 'overloaded' | 'babbling';

/** A way to a real node that can be cut, blocked or spoilt. */
export interface UnsteadyNode {
  readonly url: string;
  mood: Mood;
  /** The methods that were asked for on it. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** Passes on what it is asked to the node at this address, while it is well. */
export async function openUnsteadyNode(target: string): Promise<UnsteadyNode> {
  const server = createServer((request, response) => {
    answer(node, target, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const node: UnsteadyNode = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: 'well',
    asked: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return node;
}

async function answer(
  node: UnsteadyNode,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await text(request);
  const { id, method } = JSON.parse(body) as { id: number; method: string };
  node.asked.push(method);
  const json = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...value }));
  };
  switch (node.mood) {
    case 'well': {
      const passed = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      response.writeHead(passed.status, { 'content-type': 'application/json' });
      response.end(await passed.text());
      return;
    }
    case 'away':
      response.destroy();
      return;
    case 'silent':
      return;
    case 'failing':
      // What some nodes say of a call that was reverted, and others when they are behind.
      json(200, { error: { code: -32_000, message: 'execution reverted' } });
      return;
    case 'overloaded':
      json(429, { error: { code: -32_005, message: 'limit exceeded' } });
      return;
    case 'babbling':
      json(200, { result: '0x' });
  }
}
