import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a node is asked. */
export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A door in front of a node, at which a test may answer in its place. */
export interface Door {
  readonly url: string;
  /** The node behind it. */
  target: string;
  /** Asked for each call before the node is; `true` says that it has seen to the answer. */
  intercept: (call: RpcCall, response: ServerResponse) => boolean | Promise<boolean>;
  close(): Promise<void>;
}

/** Opens a door in front of the node at this address; it lets everything through until a test says otherwise. */
export async function openDoor(target: string): Promise<Door> {
  const server: Server = createServer(async (request, response) => {
    const body = await text(request);
    if (await door.intercept(JSON.parse(body) as RpcCall, response)) return;
    const answer = await fetch(door.target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    response.setHeader('content-type', 'application/json').end(await answer.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const door: Door = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target,
    intercept: () => false,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return door;
}

/** Answers a call as a node does. */
export function answer(response: ServerResponse, { id }: RpcCall, result: unknown): true {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  return true;
}
