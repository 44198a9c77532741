import type { Context } from '../../context.ts';
import { describeFault } from '../../graphql/errors.ts';
import type { ChallengePurpose } from '../model.ts';
import { askerFor } from './askerFor.ts';
import { recordFailure } from './recordFailure.ts';

/** A proof that was refused, as far as it could be read. */
export interface Refusal {
  readonly purpose: ChallengePurpose;
  readonly outcome: string;
  readonly domain: string | null;
  readonly chainId: number | null;
  readonly address: string | null;
  /** What failures are counted by where the wallet is not known; else the address. */
  readonly counted?: string;
}

/**
 * Leaves a row in the trail, and counts a failure. What the trail misses is told to the log: the caller must hear what
 * became of the nonce, and nothing else.
 */
export async function recordRefusal(context: Context, refusal: Refusal): Promise<void> {
  await record(context, refusal).catch((err: unknown) =>
    context.log.error({ err: describeFault(err), requestId: context.requestId }, 'a refused proof left no trail'),
  );
}

async function record(context: Context, refusal: Refusal): Promise<void> {
  const { purpose, outcome, domain, chainId, address, counted = address } = refusal;
  // one packet: what counts failures locks its row, and many may fail at one moment
  await context.identityScope({}).write((tx) => [
    tx.$executeRaw`
      /* recordRefusal */
      insert into sign_in_attempts (
        purpose, outcome, domain, chain_id, address, user_id, client_address, request_id
      )
      values (
        ${purpose}::challenge_purpose, ${outcome}, ${domain?.slice(0, 300) ?? null}, ${chainId}::bigint,
        ${address}, ${askerFor(purpose, context)}::uuid, ${context.client.address}, ${context.requestId}
      )`,
    ...recordFailure(context, tx, { outcome, address: counted }),
  ]);
}
