import { defineErrors } from '../kernel/errors.ts';

/** What can go wrong with a key that was used before. */
export const idempotencyErrors = defineErrors({
  IDEMPOTENCY_KEY_REUSED: {
    message: 'This idempotency key was used before, with other variables.',
    remedy: 'Use a new key for a new deed; repeat a deed with exactly the variables of the first time.',
    retryable: false,
  },
  IDEMPOTENCY_IN_PROGRESS: {
    message: 'What this idempotency key began is still going on.',
    remedy: 'Try again shortly, with the same key.',
    retryable: true,
  },
});
