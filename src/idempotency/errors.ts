import { defineErrors } from '../kernel/errors.ts';

/** What can go wrong with a key that was used before. */
export const idempotencyErrors = defineErrors({
  IDEMPOTENCY_KEY_REUSED: {
    message: 'This idempotency key was used before, with other variables.',
    remedy: 'Use a new key for a new deed; repeat a deed with exactly the variables of the first time.',
    retryable: false,
  },
  IDEMPOTENCY_RESULT_GONE: {
    message: 'What this idempotency key made is no longer there.',
    remedy: 'It was done, and undone or deleted since. Use a new key to do it again.',
    retryable: false,
  },
  IDEMPOTENCY_IN_PROGRESS: {
    message: 'What this idempotency key began, or something that it waits for, is still going on.',
    remedy: 'Try again shortly, with the same key.',
    retryable: true,
  },
});
