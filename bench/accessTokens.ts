// What it takes to check an access token, in a process of its own: one that was never seen, and one that was.

import { generateTokenKey } from '../src/identity/providers/tokenKeys.ts';
import { createTokens } from '../src/identity/providers/tokens.ts';
import { newId } from '../src/kernel/ids.ts';

/** Microseconds of processor time of one check, one after the other. */
export interface TokenTimes {
  readonly unseen: number;
  readonly seen: number;
}

const WARM_UP = 2_000;
const COUNTED = 10_000;

const clock = { now: () => Date.now() };
const tokens = await createTokens({
  keys: [generateTokenKey()],
  issuer: 'http://bench.invalid',
  lifetime: 600,
  clock,
});

async function measure(): Promise<TokenTimes> {
  const made: string[] = [];
  for (let count = 0; count < WARM_UP + COUNTED; count += 1) {
    made.push((await tokens.issue({ userId: newId(), sessionId: newId(), organizationId: newId() })).token);
  }
  const time = async (some: readonly string[]): Promise<number> => {
    const begun = process.cpuUsage();
    for (const token of some) await tokens.verify(token);
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / some.length;
  };
  await time(made.slice(0, WARM_UP));
  const fresh = made.slice(WARM_UP);
  return { unseen: await time(fresh), seen: await time(fresh.slice(-5_000)) };
}

process.on('message', () => {
  void measure().then((times) => process.send?.(times));
});
process.once('disconnect', () => process.exit());
process.send?.({});
