import { describe, expect, it } from 'vitest';
import { writeRefreshToken } from '../../src/identity/model.ts';
import { newApiKey } from '../../src/kernel/apiKey.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createStorage, type KeptTexts } from '../../src/playground/storage.ts';

/** A browser's own storage, as far as it is one. */
function emptyStorage(): KeptTexts {
  const texts: Record<string, string> = {};
  const methods = {
    getItem: (key: string) => texts[key] ?? null,
    setItem: (key: string, value: string) => void Object.assign(texts, { [key]: value }),
    removeItem: (key: string) => void Reflect.deleteProperty(texts, key),
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(texts, name, { value });
  return texts as unknown as KeptTexts;
}

const SECRET = 'AbC-_'.repeat(9).slice(0, 43);
const tokens = [
  writeRefreshToken({ sessionId: newId(), generation: 12, secret: SECRET }),
  newApiKey().text,
  `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VyLTEifQ.${SECRET}`,
];

describe('what the playground keeps in the browser', () => {
  it.each(tokens)('is what was typed, without the token %s', (token) => {
    const storage = createStorage(emptyStorage());
    storage.setItem('graphiql:tabState', JSON.stringify({ variables: `{"token":"${token}","first":10}` }));
    expect(storage.getItem('graphiql:tabState')).toBe(JSON.stringify({ variables: '{"token":"…","first":10}' }));
  });

  it('is everything else, as it was typed', () => {
    const storage = createStorage(emptyStorage());
    const text = 'query ($slug: String!) { checkout(slug: $slug) { title } } # eyJ, th_rt and th_live_ are no tokens';
    storage.setItem('graphiql:query', text);
    expect(storage.getItem('graphiql:query')).toBe(text);
    storage.removeItem('graphiql:query');
    expect(storage.getItem('graphiql:query')).toBe(null);
  });

  it('can be cleared, and nothing of anybody else’s with it', () => {
    const kept = emptyStorage();
    kept.setItem('tollhouse', 'theirs');
    const storage = createStorage(kept);
    storage.setItem('graphiql:query', '{ viewer { role } }');
    storage.setItem('graphiql:theme', 'dark');
    expect(storage.length).toBe(2);
    storage.clear();
    expect(storage.length).toBe(0);
    expect(kept.getItem('tollhouse')).toBe('theirs');
  });
});
