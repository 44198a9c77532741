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
  /** Asked for each call before the node is, those of a batch included; `true` says that it has seen to the answer. */
  intercept: (call: RpcCall, response: ServerResponse) => boolean | Promise<boolean>;
  /** Changes what the node answers, call by call; null lets it be. */
  rewrite: ((call: RpcCall, result: unknown) => unknown) | null;
  close(): Promise<void>;
}

/** Opens a door in front of the node at this address; it lets everything through until a test says otherwise. */
export async function openDoor(target: string): Promise<Door> {
  const server: Server = createServer(async (request, response) => {
    const body = await text(request);
    const asked = JSON.parse(body) as RpcCall | RpcCall[];
    for (const call of [asked].flat()) if (await door.intercept(call, response)) return;
    const answer = await fetch(door.target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const said = await answer.text();
    response.setHeader('content-type', 'application/json').end(door.rewrite ? rewritten(asked, said) : said);
  });
  const rewritten = (asked: RpcCall | RpcCall[], said: string): string => {
    const calls = new Map([asked].flat().map((call) => [call.id, call]));
    const change = (one: { id: number; result?: unknown }): unknown => {
      const call = calls.get(one.id);
      return call && 'result' in one ? { ...one, result: door.rewrite?.(call, one.result) } : one;
    };
    const answers = JSON.parse(said) as { id: number } | { id: number }[];
    return JSON.stringify(Array.isArray(answers) ? answers.map(change) : change(answers));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const door: Door = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target,
    intercept: () => false,
    rewrite: null,
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
