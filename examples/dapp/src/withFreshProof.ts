import { TollhouseError } from 'tollhouse/client';
import type { Config } from 'wagmi';
import { getWalletClient } from 'wagmi/actions';
import { tollhouse } from './tollhouse.ts';

/** Does something; where the gateway wants the wallet to have signed within ten minutes, lets it sign, and does it then. */
export async function withFreshProof<Result>(config: Config, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof TollhouseError && error.code === 'STEP_UP_REQUIRED')) throw error;
    await tollhouse.stepUp({ wallet: await getWalletClient(config) });
    return run();
  }
}
