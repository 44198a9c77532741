import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findChromium } from './chromium.ts';

/** Nothing but our pages: no sandbox that root may not have, and none of the browser's own errands in the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** How long a page may take on a machine that does much else. */
const PATIENCE_MS = 30_000;

/** Starts the browser, to be closed by whoever opened it. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('There is no chromium here; the run was to leave this test out.');
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/** A visitor of their own: storage and wallets are shared by this visitor's tabs, and nobody else's. */
export interface Visitor {
  readonly context: BrowserContext;
  /** What went wrong in any of the tabs: exceptions, refusals of the page's policy, errors of its console. */
  readonly faults: string[];
  /** What was asked for from anywhere but the gateway. */
  readonly elsewhere: string[];
  open(path: string): Promise<Page>;
  close(): Promise<void>;
}

/**
 * Opens a visitor.
 * @param origin the gateway's, without a slash at its end
 */
export async function openVisitor(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const faults: string[] = [];
  const elsewhere: string[] = [];
  context.on('weberror', (error) => faults.push(error.error().message));
  context.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) elsewhere.push(url);
  });
  return {
    context,
    faults,
    elsewhere,
    open: async (path) => {
      const page = await context.newPage();
      await page.goto(path);
      return page;
    },
    close: async () => {
      // what a page still asks for through a route of the test's would be waited for
      await context.unrouteAll({ behavior: 'ignoreErrors' });
      await context.close();
    },
  };
}
