import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenHouse, openHouse } from './openHouse.ts';

let house: OpenHouse;
beforeAll(async () => {
  // the library says something every 300 ms in tests, and every twelve seconds elsewhere
  house = await openHouse({ patience: { stalled: 1_000 } });
});
afterAll(() => house.close());

/** Opens a subscription on a connection of its own, and reads nothing of it yet. */
async function subscribe(field: string): Promise<Socket> {
  const socket = connect(house.gateway.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  const body = JSON.stringify({ query: `subscription { ${field} }` });
  socket.write(
    'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
      `accept: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

async function floodsAre(open: number): Promise<void> {
  while (house.floods() !== open) await turn();
}

/** Reads until this was said so often. */
async function hear(socket: Socket, said: string, times: number): Promise<void> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.split(said).length > times) return;
  }
  throw new Error(`The stream has ended after ${JSON.stringify(text.slice(-200))}`);
}

describe('a stream', () => {
  it('that has nothing to say keeps its connection alive, for longer than it waits for a reader', async () => {
    const socket = await subscribe('ticks');
    await hear(socket, ':\n\n', 8);
    socket.destroy();
  });

  it('is cut off, and what it is made of ends, when its client takes nothing', async () => {
    const socket = await subscribe('flood');
    await floodsAre(1);
    await floodsAre(0);
    // what was on its way is all that there is
    socket.resume();
    await once(socket, 'close');
  });

  it('goes on for a client that takes it slowly, while another is cut off', async () => {
    const slow = await subscribe('flood');
    await floodsAre(1);
    const stalled = await subscribe('flood');
    await floodsAre(2);
    while (house.floods() === 2) {
      await hear(slow, 'event: next', 1);
      await turn();
    }
    expect(house.floods()).toBe(1);
    await hear(slow, 'event: next', 20);
    expect(house.floods()).toBe(1);
    stalled.destroy();
    slow.destroy();
    await floodsAre(0);
  });
});
