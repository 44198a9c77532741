import { afterAll, beforeAll, expect, it } from 'vitest';
import { graphql } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, enter } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const WATCH = graphql('subscription Watch { viewerChanged { role } }');

it('signing out is told as that, though a stream hears of the end before it is answered', async () => {
  let broken: Promise<unknown> = Promise.resolve();
  const { client, heard } = await enter({
    url: house.url,
    // The answer to signing out waits until the stream has ended.
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (String(init?.body).includes('"operationName":"SignOut"')) await broken;
      return response;
    },
  });
  const stream = client.subscribe(WATCH);
  expect(await stream.next()).toMatchObject({ value: { viewerChanged: { role: 'OWNER' } } });
  broken = codeOf(stream.next());
  await client.signOut();
  expect(await broken).toBe('SESSION_ENDED');
  expect(heard).toEqual([[null, 'signedOut']]);
  expect(client.session).toBe(null);
});
