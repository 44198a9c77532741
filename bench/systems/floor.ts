import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { sendPacket } from '../../src/database/packet.ts';
import { enter } from '../../src/database/scene.ts';
import { createTokens } from '../../src/identity/providers/tokens.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Operation } from '../faces/face.ts';
import { announce, readSettings } from './child.ts';
import { FLOOR_STATEMENTS } from './floorStatements.ts';

// The least that does the same: one hand-written statement an operation, whose answer is JSON already, in one packet
// with the entering of the scene. No GraphQL, no limits, no log, no errors worth the name.

const { databaseUrl, poolSize, tokenKeys, issuer } = readSettings();
const tokens = await createTokens({ keys: tokenKeys, issuer, lifetime: 600, clock: { now: () => Date.now() } });
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize, keepAlive: true });
const UNPARSED = { getTypeParser: () => (text: string) => text };

async function answer(request: IncomingMessage): Promise<string> {
  const [, token = ''] = request.headers.authorization?.split(' ') ?? [];
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { operation, variables } = JSON.parse(Buffer.concat(chunks).toString()) as {
    operation: Operation;
    variables: Record<string, string>;
  };
  const { sessionId, organizationId } = await tokens.verify(token);
  const { text, values } = FLOOR_STATEMENTS[operation];
  const scene = enter({ kind: 'member', requestId: newId(), sessionId, organizationId });
  const client = await pool.connect();
  try {
    const [result] = await sendPacket(client, [scene, { text, values: values(variables) }], UNPARSED);
    return `{"data":${result?.rows[0]?.[0] ?? null}}`;
  } finally {
    client.release();
  }
}

const server = createServer((request, response) => {
  void answer(request)
    .catch((error: unknown) => JSON.stringify({ errors: [{ message: String(error) }] }))
    .then((body) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
announce((server.address() as AddressInfo).port);
