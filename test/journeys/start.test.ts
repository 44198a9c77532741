import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Checkout, type Command, isAlive, makeCheckout, run, serversOf } from './command.ts';

const READY = /Tollhouse is ready: (\S+)/;
const start = ({ path }: Checkout, env: Record<string, string> = {}): Command =>
  run('src/main.ts', { cwd: path, env: { PORT: '0', LOG_LEVEL: 'warn', ...env } });
const example = ({ path }: Checkout, url: string): Command =>
  run('examples/pay-a-link/payALink.ts', { cwd: path, args: [url] });

async function urlOf(command: Command): Promise<string> {
  return (await command.says(READY))[1] ?? '';
}

async function names(url: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ chains { chainId assets { symbol } } viewer { role } }' }),
  });
  return response.json();
}

describe('a checkout from its first start to its last', () => {
  let checkout: Checkout;
  beforeAll(() => {
    checkout = makeCheckout();
  });
  afterAll(() => checkout.remove());

  it('starts, shows the way, lets a link be paid, and refuses a second start beside it', async () => {
    const first = start(checkout);
    const url = await urlOf(first);
    expect(first.said()).toContain('Development only');
    expect(await names(url)).toEqual({
      data: { chains: [{ chainId: 31337, assets: [{ symbol: 'ETH' }, { symbol: 'TUSD' }] }], viewer: null },
    });

    const paying = example(checkout, url);
    expect([await paying.ended(), paying.said()]).toEqual([0, expect.stringMatching(/PAID\n$/)]);

    const second = start(checkout);
    expect(await second.ended()).toBe(1);
    expect(second.said()).toContain(`already runs in this folder (process ${first.process.pid}, ${url})`);
    expect(second.said()).not.toContain('at ');

    const servers = serversOf(checkout);
    expect(servers.map(isAlive)).toEqual([true, true]);
    first.interrupt();
    first.interrupt();
    first.interrupt();
    expect(await first.ended()).toBe(0);
    expect(servers.map(isAlive)).toEqual([false, false]);
  });

  it('pays what was sent before the gateway was killed, once it is started again', async () => {
    const killed = start(checkout);
    const [, port] = /:(\d+)\//.exec(await urlOf(killed)) ?? [];
    const servers = serversOf(checkout);
    const paying = example(checkout, `http://localhost:${port}/graphql`);
    await paying.says(/^Paid 12\.5 TUSD/m);
    killed.process.kill('SIGKILL');
    expect(await killed.ended()).toBe('SIGKILL');

    const again = start(checkout, { PORT: port ?? '0' });
    await urlOf(again);
    expect(serversOf(checkout)).toEqual(servers);
    expect([await paying.ended(), paying.said()]).toEqual([0, expect.stringMatching(/PAID\n$/)]);
    again.interrupt();
    expect(await again.ended()).toBe(0);
    expect(servers.map(isAlive)).toEqual([false, false]);
  });
});

describe('two checkouts', () => {
  it('run side by side, each with a database and a chain of its own', async () => {
    const checkouts = [makeCheckout(), makeCheckout()];
    const commands = checkouts.map((checkout) => start(checkout));
    const urls = await Promise.all(commands.map(urlOf));
    expect(new Set(urls).size).toBe(2);
    const servers = checkouts.flatMap(serversOf);
    expect(new Set(servers).size).toBe(4);
    for (const command of commands) command.interrupt();
    expect(await Promise.all(commands.map((command) => command.ended()))).toEqual([0, 0]);
    expect(servers.map(isAlive)).toEqual([false, false, false, false]);
    for (const checkout of checkouts) checkout.remove();
  });
});
