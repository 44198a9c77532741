interface Say {
  (sentence: string): void;
  (facts: object, sentence?: string): void;
}

/** What the local servers need of a log; a pino logger is one. */
export interface LocalLog {
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
}
