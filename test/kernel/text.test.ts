import { describe, expect, it } from 'vitest';
import { cleanText } from '../../src/kernel/text.ts';

const refusal = (field: string) =>
  expect.objectContaining({ code: 'BAD_USER_INPUT', facts: expect.objectContaining({ field }) });
const line = (text: string) => (): string => cleanText(text, 'title', { max: 20 });
const lines = (text: string) => (): string => cleanText(text, 'description', { max: 20, multiline: true });

describe('text from people', () => {
  it.each(['Tea', 'Grüße', '茶', 'שלום', '☕', '👩‍👩‍👧', '-', 'e\u0301'])('is taken: %j', (text) => {
    expect(line(text)()).toBe(text);
    expect(lines(text)()).toBe(text);
  });

  it('is trimmed, and measured by its characters', () => {
    expect(line(`  ${'😀'.repeat(20)} \n`)()).toBe('😀'.repeat(20));
    expect(line('x'.repeat(21))).toThrow(refusal('title'));
    expect(line(' ')).toThrow(refusal('title'));
    expect(cleanText(' ', 'title', { min: 0, max: 1 })).toBe('');
  });

  it.each(['a\nb', 'a\tb', 'a\r\nb'])('has breaks and tabs only where these are asked for: %j', (text) => {
    expect(lines(text)()).toBe(text);
    expect(line(text)).toThrow(refusal('title'));
  });

  it.each(['\0', '\u0007', '\u001b[31m', '\u007f', '\u0085', '\u009b'])('has no control character: %j', (control) => {
    expect(line(`a${control}b`)).toThrow(refusal('title'));
    expect(lines(`a${control}b`)).toThrow(refusal('description'));
  });

  it.each(['\u202a', '\u202e', '\u2066', '\u2069'])('does not turn its direction: %j', (turn) => {
    expect(line(`a${turn}b`)).toThrow(refusal('title'));
    expect(lines(`a${turn}b`)).toThrow(refusal('description'));
  });

  it.each(['\u200b', '\u200d\u2060', '\u3164', '\u115f', '\u2800', '\u00ad', '\u{e0041}', '\u0301', '\ufe0f'])(
    'can be seen: not %j alone',
    (text) => {
      expect(line(text)).toThrow(refusal('title'));
      expect(line(`${text}a`)).not.toThrow();
    },
  );
});
