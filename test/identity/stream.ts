import type { Answer } from '../support/tollhouse.ts';

/** One event of a stream, as a client reads it. */
export interface StreamEvent<Data> {
  readonly event: string;
  readonly data: (Pick<Answer<Data>, 'data'> & { readonly errors?: Answer<Data>['errors'] }) | null;
}

/** An open subscription, over HTTP and server-sent events. */
export interface Stream<Data> {
  /** The next event; null when the stream has ended, in whatever way. */
  next(): Promise<StreamEvent<Data> | null>;
  /** The code of the next event, `OK` or `complete`, or `closed`. */
  nextCode(): Promise<string>;
  /** Goes away without a word. */
  leave(): void;
}

/** Opens a subscription as a page would that reads the body of its fetch. */
export async function openStream<Data>(
  url: string,
  query: string,
  token?: string,
  headers: Record<string, string> = {},
): Promise<Stream<Data>> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ query }),
    signal: leaving.signal,
  });
  if (!response.body) throw new Error(`No stream: ${response.status}`);
  const events = readEvents<Data>(response.body);
  const next = async (): Promise<StreamEvent<Data> | null> => (await events.next().catch(() => null))?.value ?? null;
  return {
    next,
    async nextCode() {
      const step = await next();
      if (!step) return 'closed';
      return step.data ? (step.data.errors?.[0]?.extensions.code ?? 'OK') : step.event;
    },
    leave: () => leaving.abort(),
  };
}

async function* readEvents<Data>(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent<Data>> {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = /^event: (.*)$/m.exec(text.slice(0, end))?.[1];
      const data = /^data: ?(.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (event !== undefined) yield { event, data: data ? JSON.parse(data) : null };
    }
  }
}
