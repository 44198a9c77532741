// People with wallets, in a process of their own: they ask for nonces, sign, and sign in; signing itself is not counted.
import { randomBytes } from 'node:crypto';
import secp256k1 from 'secp256k1';
import { hashMessage, toBytes } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { type Connection, openConnection } from './connection.ts';
import { SIGN_IN_FACES, type SignInSystem } from './faces/signIn.ts';
import { timeOf, timeOfFamily } from './processorTime.ts';

/** One turn of a system: everybody signs in so many times. */
export interface SigningTurn {
  readonly system: SignInSystem;
  readonly port: number;
  readonly times: number;
  readonly concurrency: number;
  /** Whose processor time is counted: the system's process, and PostgreSQL's with all its backends. */
  readonly pids: { readonly system: number; readonly postmaster: number };
  /** Whether signatures are forged, or texts handed in twice; then nothing is measured, and all must be refused. */
  readonly cheat?: 'forged' | 'replayed';
}

/** What a turn came to: both requests of each sign-in, without the signing between them. */
export interface SigningResult {
  readonly signIns: number;
  readonly perSecond: number;
  /** Milliseconds of processor time a sign-in. */
  readonly systemMs: number;
  readonly postgresMs: number;
}

const SIGNERS = 200;

interface Signer {
  readonly key: Buffer;
  readonly address: string;
}

const signers: readonly Signer[] = Array.from({ length: SIGNERS }, () => {
  const key = randomBytes(32);
  return { key, address: privateKeyToAddress(`0x${key.toString('hex')}`) };
});

function sign(message: string, { key }: Signer): string {
  const { signature, recid } = secp256k1.ecdsaSign(toBytes(hashMessage(message)), key);
  return `0x${Buffer.from(signature).toString('hex')}${(27 + recid).toString(16)}`;
}

interface Phase {
  readonly seconds: number;
  readonly systemSeconds: number;
  readonly postgresSeconds: number;
}

/** Does something for each, so many at a time, and tells what it took. */
async function timed<Item>(
  { port, concurrency, pids }: SigningTurn,
  items: readonly Item[],
  each: (item: Item, connection: Connection, place: number) => Promise<void>,
): Promise<Phase> {
  const connections = await Promise.all(Array.from({ length: concurrency }, () => openConnection(port)));
  const times = () => ({ at: performance.now(), system: timeOf(pids.system), postgres: timeOfFamily(pids.postmaster) });
  let next = 0;
  const before = times();
  await Promise.all(
    connections.map(async (connection) => {
      for (let place = next++; place < items.length; place = next++) {
        await each(items[place] as Item, connection, place);
      }
    }),
  );
  const after = times();
  for (const connection of connections) connection.close();
  return {
    seconds: (after.at - before.at) / 1000,
    systemSeconds: after.system - before.system,
    postgresSeconds: after.postgres - before.postgres,
  };
}

async function take(turn: SigningTurn): Promise<SigningResult> {
  const face = SIGN_IN_FACES[turn.system];
  const everybody = Array.from({ length: turn.times }, () => signers).flat();
  const texts: string[] = [];
  const asking = everybody.map((signer) => Buffer.from(face.askNonce(signer.address)));
  const asked = await timed(turn, asking, async (request, connection, place) => {
    const { address = '' } = everybody[place] ?? {};
    texts[place] = face.readText(bodyOf(await connection.send(request)), { address, port: turn.port });
  });
  const signatures = everybody.map((signer, place) => {
    const by = turn.cheat === 'forged' ? signers[(place + 1) % SIGNERS] : signer;
    return sign(texts[place] ?? '', by ?? signer);
  });
  const submitting = signatures.map((signature, place) =>
    Buffer.from(face.submit({ message: texts[place] ?? '', signature })),
  );
  const begun = new Set<unknown>();
  let refusal: unknown = null;
  const handIn = async (request: Buffer, connection: Connection): Promise<void> => {
    const answer = bodyOf(await connection.send(request));
    const token = face.readToken(answer);
    if (token) begun.add(token);
    else refusal = answer;
  };
  const submitted = await timed(turn, submitting, handIn);
  const wanted = turn.cheat === 'forged' ? 0 : everybody.length;
  if (begun.size !== wanted) {
    throw new Error(`${begun.size} sessions have begun, and ${wanted} should have; ${JSON.stringify(refusal)}`);
  }
  if (turn.cheat === 'replayed') {
    await timed(turn, submitting, handIn);
    if (begun.size !== wanted) throw new Error('a text that was handed in again has begun a session');
  }
  const seconds = asked.seconds + submitted.seconds;
  const each = (one: number, other: number): number => ((one + other) * 1000) / everybody.length;
  return {
    signIns: everybody.length,
    perSecond: everybody.length / seconds,
    systemMs: each(asked.systemSeconds, submitted.systemSeconds),
    postgresMs: each(asked.postgresSeconds, submitted.postgresSeconds),
  };
}

/** The JSON of an answer, which comes in one piece. */
function bodyOf(answer: Buffer): Record<string, unknown> {
  const text = answer.toString('utf8');
  const start = text.indexOf('{', text.indexOf('\r\n\r\n'));
  return JSON.parse(text.slice(start, text.lastIndexOf('}') + 1)) as Record<string, unknown>;
}

process.on('message', (turn: SigningTurn) => {
  void take(turn).then(
    (result) => process.send?.(result),
    (error: Error) => process.send?.({ failure: `${turn.system}: ${error.message}` }),
  );
});
process.once('disconnect', () => process.exit());
process.send?.({});
