import type { IncomingMessage } from 'node:http';

/** The page brings all it needs with it; nothing is loaded from elsewhere, and queries go to this server alone. */
export const PLAYGROUND_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'unsafe-inline' blob:",
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data: blob:',
    "connect-src 'self' blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
};

/** Whether a person has come with a browser. */
export function wantsPlayground({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/**
 * Makes the page of GraphiQL when it is first asked for: nine megabytes that production never loads.
 * @param exampleQuery what stands in the editor at the first visit
 */
export function createPlayground(exampleQuery: string | undefined): () => Promise<Buffer> {
  let page: Promise<Buffer> | null = null;
  return () => {
    page ??= renderPage(exampleQuery);
    return page;
  };
}

async function renderPage(exampleQuery: string | undefined): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return Buffer.from(
    renderGraphiQL({
      title: 'Tollhouse',
      endpoint: '/graphql',
      // Tokens stay out of the browser's storage.
      shouldPersistHeaders: false,
      // It stands inside a script: no text of it may end that script.
      ...(exampleQuery !== undefined && { defaultQuery: exampleQuery.replaceAll('</', '<\\/') }),
    }),
  );
}
