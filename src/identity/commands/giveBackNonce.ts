import type { Context } from '../../context.ts';

/** Gives back the nonce of a challenge that nobody could check; what has expired meanwhile stays away. */
export async function giveBackNonce(context: Context, burnt: string): Promise<void> {
  await context.identityScope({}).write((tx) => [
    tx.$executeRaw`
      /* giveBackNonce */
      insert into challenges
      select given.*
      from jsonb_populate_record(null::challenges, ${burnt}::jsonb) as given
      where given.expires_at > transaction_timestamp()`,
  ]);
}
