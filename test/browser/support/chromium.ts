import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { FULL } from '../../support/scale.ts';

/** The names that systems give the browser. */
const WHOLE = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** The same without windows and profiles, by which a page costs a quarter of the time. */
const SHELL = ['chromium-headless-shell'];
const NAMES = FULL ? [...WHOLE, ...SHELL] : [...SHELL, ...WHOLE];

/** The browser that the tests drive: `CHROMIUM_BIN`, or one of the system's; null where there is none. */
export function findChromium(): string | null {
  const { CHROMIUM_BIN, PATH = '' } = process.env;
  const folders = [...PATH.split(delimiter), '/usr/bin'].filter((folder) => folder !== '');
  const places = CHROMIUM_BIN ? [CHROMIUM_BIN] : folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find(canRun) ?? null;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The tests that need a browser where there is none, to be left out; the last line of the run says so. */
export function testsWithoutBrowser(): string[] {
  if (findChromium()) return [];
  const line =
    'Left out: test/browser, since no chromium was found. Install it (Debian: apt-get install chromium-headless-shell), or name one in CHROMIUM_BIN.';
  process.once('exit', () => process.stderr.write(`\n${line}\n`));
  return ['test/browser/**'];
}
