import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How it answers: as it should, or as it does in its bad hours. */
type Mood = 'well' | 'silent' | 'broken' | 'elsewhere' | 'endless' | 'garbled' | 'slow body';

/** A server on this machine that answers as thirdweb's API does, for the installation with this key. */
export interface ThirdwebServer {
  readonly url: string;
  readonly clientId: string;
  readonly secretKey: string;
  mood: Mood;
  /** How often it was asked. */
  asked: number;
  /** An auth token of a person, whom it tells as `result`: `{ address, smartWalletAddress?, profiles }`. */
  tokenOf(told: object): string;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startThirdwebServer(): Promise<ThirdwebServer> {
  const people = new Map<string, object>();
  const server = createServer((request, response) => {
    thirdweb.asked += 1;
    answer(thirdweb, people, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const thirdweb: ThirdwebServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId: randomBytes(16).toString('hex'),
    secretKey: randomBytes(32).toString('base64url'),
    mood: 'well',
    asked: 0,
    tokenOf: (told) => {
      const token = `eyJ.${randomBytes(32).toString('base64url')}.sig`;
      people.set(token, told);
      return token;
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return thirdweb;
}

function answer(
  thirdweb: ThirdwebServer,
  people: ReadonlyMap<string, object>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (thirdweb.mood === 'silent') return;
  const [status, body, location] = replyOf(thirdweb, people, request);
  response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) });
  if (thirdweb.mood === 'slow body') response.write('{"result":');
  else response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function replyOf(
  { mood, secretKey, url }: ThirdwebServer,
  people: ReadonlyMap<string, object>,
  { method, url: path, headers }: IncomingMessage,
): [status: number, body: object | string, location?: string] {
  if (mood === 'broken') return [500, { error: { code: 'INTERNAL_SERVER_ERROR' } }];
  if (mood === 'elsewhere') return [302, '', `${url}/elsewhere`];
  if (mood === 'endless') return [200, { result: { padding: 'x'.repeat(200_000) } }];
  if (mood === 'garbled') return [200, '<html>'];
  if (method !== 'GET' || path !== '/v1/wallets/me') return [404, { error: { code: 'NOT_FOUND' } }];
  const told = people.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
  const known = headers['x-secret-key'] === secretKey && told !== undefined;
  return known ? [200, { result: told }] : [401, { error: { code: 'UNAUTHORIZED', message: 'Unauthorized' } }];
}
