/** Why a local server or its folder cannot be had, in words for the person who starts the gateway; no stack is needed. */
export class LocalError extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'LocalError';
  }
}
