import type { SiweAuthOptions } from 'thirdweb/react';
import type { TollhouseClient } from 'tollhouse/client';

/**
 * What thirdweb’s `ConnectButton` takes as `auth`, answered by the gateway: it asks for a text in thirdweb’s words, lets the
 * connected account sign it, and hands both over. In-app wallets, smart accounts and external wallets alike.
 */
export function createAuth(tollhouse: TollhouseClient): SiweAuthOptions {
  return {
    getLoginPayload: (asked) => tollhouse.getThirdwebPayload(asked),
    doLogin: async (signed) => {
      await tollhouse.signInWithThirdweb(signed);
    },
    isLoggedIn: async (address) => {
      const session = tollhouse.session ?? (await tollhouse.resume());
      return session?.wallet?.toLowerCase() === address.toLowerCase();
    },
    doLogout: () => tollhouse.signOut(),
  };
}
