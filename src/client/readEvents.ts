import { failure } from './tollhouseError.ts';

/** One event of a stream. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** The gateway says something every twelve seconds; whoever has heard nothing for so long is connected to nobody. */
const SILENCE_MS = 40_000;

/** More than any answer has: what goes on for longer without an end is none. */
const MOST_CHARACTERS = 16_000_000;

/**
 * The events of a `text/event-stream`, until it ends.
 * @throws STREAM_SILENT, ANSWER_UNREADABLE
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await heard(reader.read());
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop() ?? '';
      if (text.length > MOST_CHARACTERS) throw failure('ANSWER_UNREADABLE');
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function heard<Result>(reading: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure('STREAM_SILENT', { retryable: true })), SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a block says; null for a comment. */
function parseEvent(block: string): StreamEvent | null {
  const lines = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line));
  const fields = (name: string): string[] => lines.flatMap((line) => (line?.[1] === name ? [line[2] ?? ''] : []));
  const data = fields('data').join('\n');
  const type = fields('event').at(-1) ?? 'message';
  return type === 'message' && data === '' ? null : { type, data };
}
