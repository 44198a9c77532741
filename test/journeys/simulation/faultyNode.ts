import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { numberToHex } from 'viem';
import type { Chances } from './chances.ts';

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A provider of the chain that may fail and lag by chance: an address in front of the one real node. */
export interface FaultyNode {
  readonly url: string;
  /** From now on each tenth call fails, and for a while now and then it knows nothing of the newest blocks. */
  trouble(chances: Chances): void;
  /** How many of its calls it has failed since, and how many it has answered of a head that is behind. */
  readonly failed: () => number;
  readonly lagged: () => number;
  /** From now on it answers as the node does. */
  calm(): void;
  close(): Promise<void>;
}

/** Opens one that is well. */
export async function openFaultyNode(target: string): Promise<FaultyNode> {
  let chance: { readonly failing: () => number; readonly lagging: () => number } | null = null;
  let failed = 0;
  let lagged = 0;
  let behind = 0n;
  const lagging = setInterval(() => {
    behind = chance && chance.lagging() < 0.3 ? BigInt(1 + Math.floor(chance.lagging() * 4)) : 0n;
  }, 700);

  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    try {
      const body = await text(request);
      if (!chance) return void response.end(await forward(target, body));
      const asked = JSON.parse(body) as Call | Call[];
      const calls = Array.isArray(asked) ? asked : [asked];
      if (chance.failing() < 0.1) {
        failed += calls.length;
        return fail(response, calls, chance.failing);
      }
      if (behind === 0n) return void response.end(await forward(target, body));
      lagged += calls.length;
      const head = BigInt((await rpc(target, 'eth_blockNumber', [])) as string);
      const known = head > behind ? head - behind : 0n;
      const answers = await Promise.all(calls.map((call) => answerAsOf(target, call, known)));
      response.end(JSON.stringify(Array.isArray(asked) ? answers : answers[0]));
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failed: () => failed,
    lagged: () => lagged,
    trouble: (chances) => {
      chance = { failing: chances('failing'), lagging: chances('lagging') };
      failed = 0;
      lagged = 0;
    },
    calm: () => {
      chance = null;
      behind = 0n;
    },
    close: async () => {
      clearInterval(lagging);
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** In each of the ways that providers fail: with a status, with an error of their own, or by hanging up. */
function fail(response: ServerResponse, calls: readonly Call[], random: () => number): void {
  const way = random();
  if (way < 0.34) return void response.writeHead(way < 0.17 ? 503 : 429).end('busy');
  if (way < 0.67) return void response.destroy();
  const errors = calls.map(({ id }) => ({ jsonrpc: '2.0', id, error: { code: -32_603, message: 'internal error' } }));
  response.end(JSON.stringify(errors.length === 1 ? errors[0] : errors));
}

/** The answer of a node that has not heard of any block above `known`. */
async function answerAsOf(target: string, call: Call, known: bigint): Promise<unknown> {
  const { id, method, params } = call;
  if (method === 'eth_blockNumber') return { jsonrpc: '2.0', id, result: numberToHex(known) };
  const [first, ...others] = params;
  const tags: Record<string, bigint> = { latest: known, safe: known - 32n, finalized: known - 64n };
  if (method === 'eth_getBlockByNumber' && typeof first === 'string') {
    const tagged = tags[first];
    const number = tagged === undefined ? BigInt(first) : tagged > 0n ? tagged : 0n;
    if (number > known) return { jsonrpc: '2.0', id, result: null };
    return { jsonrpc: '2.0', id, result: await rpc(target, method, [numberToHex(number), ...others]) };
  }
  return JSON.parse(await forward(target, JSON.stringify(call)));
}

async function rpc(target: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const answer = await forward(target, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  return (JSON.parse(answer) as { result?: unknown }).result ?? null;
}

async function forward(target: string, body: string): Promise<string> {
  const answer = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return answer.text();
}
