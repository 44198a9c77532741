/** Refresh tokens, API keys and access tokens, as they may stand in what somebody has typed. */
const TOKENS = /th_(?:rt|live)_[\w.-]+|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g;

/** What GraphiQL’s keys begin with. */
const PREFIX = 'graphiql:';

/** What a browser’s storage is, as far as GraphiQL uses one. */
export interface KeptTexts {
  readonly length: number;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  clear(): void;
}

/**
 * Where GraphiQL keeps tabs and history: without tokens, which are taken out of whatever is kept.
 * @param kept the browser’s own
 */
export function createStorage(kept: KeptTexts): KeptTexts {
  const ownKeys = (): string[] => Object.keys(kept).filter((key) => key.startsWith(PREFIX));
  return {
    get length() {
      return ownKeys().length;
    },
    getItem: (key) => kept.getItem(key),
    setItem: (key, value) => kept.setItem(key, value.replaceAll(TOKENS, '…')),
    removeItem: (key) => kept.removeItem(key),
    clear: () => {
      for (const key of ownKeys()) kept.removeItem(key);
    },
  };
}
