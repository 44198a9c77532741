import { join } from 'node:path';
import { type Program, run } from '../../journeys/gateways.ts';

/** An example that is a page, as `npm run example:<name>` starts it. */
export interface ExamplePage {
  /** Where browsers come, without a slash at its end. */
  readonly origin: string;
  stop(): Promise<void>;
}

/**
 * Starts one on a free port.
 * @param given.folder where it keeps what Vite has prepared, so that two at once do not meet
 */
export async function startExample(
  name: 'dapp' | 'thirdweb',
  given: { readonly gateway: string; readonly folder: string; readonly settings?: Readonly<Record<string, string>> },
): Promise<ExamplePage> {
  const { gateway, folder, settings = {} } = given;
  const program = run('examples/startPage.ts', folder, [name, gateway], {
    VITE_CACHE_DIR: join(folder, 'vite'),
    NO_COLOR: '1',
    ...settings,
  });
  return {
    origin: await Promise.race([originOf(program), ended(program)]),
    stop: async () => {
      process.kill(-program.pid, 'SIGINT');
      await program.ended;
    },
  };
}

function originOf({ process: { stdout }, said }: Program): Promise<string> {
  return new Promise((resolve) => {
    stdout?.on('data', () => {
      const [, origin] = /Local:\s+(http:\/\/localhost:\d+)\//.exec(said()) ?? [];
      if (origin) resolve(origin);
    });
  });
}

async function ended(program: Program): Promise<never> {
  await program.ended;
  throw new Error(`The example ended instead: ${program.complained()}\n${program.said()}`);
}
