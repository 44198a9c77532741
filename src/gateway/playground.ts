import type { IncomingMessage } from 'node:http';
import { type Exchange, sendText } from './answer.ts';
import type { Bundle, Face } from './bundle.ts';
import { facePage } from './facePage.ts';
import { type Faces, PAGE_HEADERS, policyOf } from './faces.ts';

/** The page that the API is explored on, with the workers of its editors. */
export const PLAYGROUND: Face = {
  name: 'playground',
  entries: {
    main: './main.tsx',
    editorWorker: 'monaco-editor/esm/vs/editor/editor.worker.js',
    graphqlWorker: 'monaco-graphql/esm/graphql.worker.js',
    jsonWorker: 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
  // GraphiQL asks for two CommonJS modules by names that a chunk of one does not export.
  aliases: {
    'prettier/parser-babel': 'prettier/plugins/babel',
    'prettier/parser-graphql': 'prettier/plugins/graphql',
  },
  // It is large, and goes no further than the machine that it is developed on.
  bestBytes: 0,
};

/** A wallet of the demo, whose key everybody knows. */
export interface DemoWallet {
  readonly name: string;
  /** What they are in the demo. */
  readonly part: string;
  readonly address: string;
  readonly privateKey: string;
}

/** What the page is told of this gateway. */
export interface PlaygroundSettings {
  readonly demoWallets: readonly DemoWallet[];
  /** An asset that a payment link may ask for, by its CAIP-19 name; null where no payments are taken. */
  readonly asset: string | null;
}

/** Answers with the playground. */
export type SendPlayground = (exchange: Exchange) => Promise<void>;

/** The page runs what it came with and asks this server alone; the editors write styles of their own into it. */
const HEADERS: Readonly<Record<string, string>> = {
  ...PAGE_HEADERS,
  'content-type': 'text/html; charset=utf-8',
  // the same address answers others with JSON
  'cache-control': 'no-store',
  'content-security-policy': policyOf({
    'script-src': "'self'",
    'worker-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
    'font-src': "'self' data:",
    'img-src': "'self' data:",
    'connect-src': "'self'",
  }),
};

/** Whether a person has come with a browser. */
export function wantsPlayground({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/** Makes nothing yet: what the page runs is bundled when somebody first comes, and production never does. */
export function createPlayground(faces: Faces, settings: PlaygroundSettings): SendPlayground {
  return async (exchange) => {
    const bundle = await faces.read(PLAYGROUND.name);
    sendText(exchange, 200, render(bundle, settings), HEADERS);
  };
}

function render({ entries }: Bundle, { demoWallets, asset }: PlaygroundSettings): string {
  const scriptOf = (entry: string): string => entries[entry]?.script ?? '';
  const workers = {
    editor: scriptOf('editorWorker'),
    graphql: scriptOf('graphqlWorker'),
    json: scriptOf('jsonWorker'),
  };
  const told = escapeText(JSON.stringify({ workers, demoWallets, asset }));
  return facePage({
    title: 'Tollhouse',
    style: entries.main?.style ?? null,
    script: scriptOf('main'),
    root: `<div id="playground" data-settings="${told}"></div>`,
    withoutScripts: 'The playground needs JavaScript, which is switched off in this browser.',
  });
}

/** The text as it may stand in an attribute. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
