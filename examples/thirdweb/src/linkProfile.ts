import type { TollhouseClient } from 'tollhouse/client';
import { LinkThirdwebProfile } from './operations.ts';

/**
 * Links what thirdweb knows of an in-app wallet’s owner, e-mail addresses and accounts elsewhere, to the one who is signed
 * in; the gateway asks thirdweb by the wallet’s auth token. Answers whether anything is new.
 */
export async function linkProfile(tollhouse: TollhouseClient, authToken: string): Promise<boolean> {
  const { linkThirdwebProfile } = await tollhouse.mutate(LinkThirdwebProfile, { input: { authToken } });
  return !linkThirdwebProfile.alreadyLinked;
}
