import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Answer, AnsweredError } from '../support/tollhouse.ts';

const house = join(import.meta.dirname, '../..');

/** A program of the house that runs beside the test, in a process group of its own as in a terminal. */
export interface Program {
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has written, logs and all. */
  said(): string;
  complained(): string;
  /** How it ended, once it has. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts a program in a folder, with nothing of our own environment but what every program needs. */
export function run(program: string, folder: string, given: readonly string[] = [], settings = {}): Program {
  const { PATH = '', HOME = folder, TMPDIR, ANVIL_BIN } = process.env;
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(house, program), ...given], {
    cwd: folder,
    detached: true,
    env: { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...(ANVIL_BIN && { ANVIL_BIN }), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complained += chunk;
  });
  return {
    pid: child.pid ?? 0,
    process: child,
    said: () => said,
    complained: () => complained,
    ended: once(child, 'close').then(([code, signal]) => ({ code, signal })),
  };
}

/** A gateway that was started as `npm start` does. */
export interface StartedGateway extends Program {
  readonly url: string;
  /** Sends one request. */
  ask<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    options?: { readonly token?: string },
  ): Promise<Answer<Data>>;
  /** Ends it as Ctrl-C does, and waits until it has ended. */
  interrupt(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts the gateway of a folder on a free port, and waits until it says that it is ready. */
export async function startGateway(folder: string, settings = {}): Promise<StartedGateway> {
  const program = run('src/main.ts', folder, [], { PORT: '0', ...settings });
  const ready = /Tollhouse is ready: (\S+).*"msg":"ready"/s;
  const waiting = new Promise<string>((resolve) => {
    program.process.stdout?.on('data', () => {
      const [, url] = ready.exec(program.said()) ?? [];
      if (url) resolve(url);
    });
  });
  const url = await Promise.race([waiting, program.ended.then(() => null)]);
  if (!url) throw new Error(`The gateway ended instead: ${program.complained()}\n${program.said()}`);
  return {
    ...program,
    url,
    ask: (query, variables, { token } = {}) => ask(url, { query, variables }, token),
    interrupt: () => {
      process.kill(-program.pid, 'SIGINT');
      return program.ended;
    },
  };
}

async function ask<Data>(url: string, body: object, token?: string): Promise<Answer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  const { data = null, errors = [] } = (await response.json()) as { data?: Data; errors?: AnsweredError[] };
  return { status: response.status, headers: response.headers, data, errors };
}

/** An address that stays while the gateway behind it ends and another one begins. */
export interface Forwarder {
  readonly url: string;
  /** The gateway that it leads to now. */
  target: string;
  close(): Promise<void>;
}

/** Opens an address that leads to the gateway at another one. */
export async function openForwarder(target: string): Promise<Forwarder> {
  const server = createServer((client) => {
    const gateway = connect(Number(new URL(forwarder.target).port), '127.0.0.1');
    client.pipe(gateway).pipe(client);
    for (const socket of [client, gateway]) {
      socket.on('error', () => {
        client.destroy();
        gateway.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const forwarder: Forwarder = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    target,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
  return forwarder;
}

/** Starts the example against a gateway. */
export function payALink(folder: string, url: string): Program {
  return run('examples/pay-a-link/payALink.ts', folder, [url]);
}

/** The lines that a program has written. */
export function linesOf(program: Program): string[] {
  return program.said().split('\n').slice(0, -1);
}
