import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, enterHouse, refresh, sessionIdOf, sql } from './visitor.ts';

const ROUNDS = FULL ? 200 : 10;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

/** Sends a refresh and breaks the connection: when it is on its way, or when the answer begins to come. */
async function refreshAndLose(refreshToken: string, lost: 'request' | 'answer'): Promise<void> {
  const { host, hostname, port } = new URL(house.url);
  const body = JSON.stringify({
    query: 'mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { refreshToken } }',
    variables: { token: refreshToken },
  });
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  if (lost === 'answer') await once(socket, 'readable');
  socket.resetAndDestroy();
}

it('a hundred that refresh with one token at one moment get one successor, the same for all', async () => {
  const person = await enterHouse(house);
  const attempts = await Promise.all(Array.from({ length: 100 }, () => refresh(house, person.refreshToken)));
  expect(new Set(attempts.map(({ code }) => code))).toEqual(new Set(['OK']));
  const successors = new Set(attempts.map(({ signedIn }) => signedIn?.refreshToken));
  expect(successors.size).toBe(1);
  const rows = await sql(house, 'select generation, ended_at from sessions where id = $1', [sessionIdOf(person)]);
  expect(rows).toEqual([{ generation: 1, ended_at: null }]);
  for (const { signedIn } of attempts) {
    const answer = await house.ask('{ viewer { user { id } } }', {}, { token: signedIn?.accessToken ?? '' });
    expect([codeOf(answer), answer.data]).toEqual(['OK', { viewer: { user: person.viewer.user } }]);
  }
  const [successor = ''] = successors;
  expect((await refresh(house, successor)).code).toBe('OK');
});

it.each<'request' | 'answer'>(['request', 'answer'])(
  `whoever lost the %s tries again, and goes on, ${ROUNDS} of ${ROUNDS} times`,
  async (lost) => {
    let { refreshToken } = await enterHouse(house);
    for (let round = 0; round < ROUNDS; round += 1) {
      await refreshAndLose(refreshToken, lost);
      const { code, signedIn } = await refresh(house, refreshToken);
      expect([round, code]).toEqual([round, 'OK']);
      refreshToken = signedIn?.refreshToken ?? '';
    }
    const rows = await sql(house, 'select generation, ended_at from sessions where id = $1', [
      sessionIdOf({ refreshToken }),
    ]);
    expect(rows).toEqual([{ generation: ROUNDS, ended_at: null }]);
  },
);
