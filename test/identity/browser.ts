import type { Answer, TestTollhouse } from '../support/tollhouse.ts';
import { getChallenge, newWallet, type Wallet } from './visitor.ts';

type House = Pick<TestTollhouse, 'ask' | 'url'>;
type Headers = Record<string, string>;

/** A page with its browser: what is set in cookies is sent again, and the page itself never sees it. */
export interface Browser {
  readonly origin: string;
  /** What the browser keeps, by name. */
  readonly jar: Map<string, string>;
  /** What was set by the last answer, as it was written. */
  readonly lastSet: () => readonly string[];
  /** Asks as a page of ours does; `headers` change that, and an empty one is left out. */
  ask<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Headers,
  ): Promise<Answer<Data>>;
  /** Signs in with the tokens in cookies. */
  signIn(wallet?: Wallet): Promise<Answer<Record<string, Record<string, unknown>>>>;
}

/** Opens a page of an origin that people may sign in from. */
export function openBrowser(house: House, { origin } = new URL(house.url)): Browser {
  const jar = new Map<string, string>();
  let set: readonly string[] = [];
  const ask: Browser['ask'] = async (query, variables, headers = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = { origin, 'x-tollhouse-csrf': '1', ...(cookie && { cookie }), ...headers };
    const answer = await house.ask(query, variables, {
      headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== '')),
    });
    set = answer.headers.getSetCookie();
    for (const line of set) {
      const [, name = '', value = '', seconds] = /^([^=]+)=([^;]*);.*Max-Age=(\d+)/.exec(line) ?? [];
      if (seconds === '0') jar.delete(name);
      else jar.set(name, value);
    }
    return answer as never;
  };
  return {
    origin,
    jar,
    lastSet: () => set,
    ask,
    async signIn(wallet = newWallet()) {
      const { message } = await getChallenge(house, { address: wallet.address }, { origin });
      const signature = await wallet.signMessage({ message: message ?? '' });
      return ask(
        `mutation ($input: SignInWithEthereumInput!) {
          signInWithEthereum(input: $input) { accessToken refreshToken expiresAt viewer { user { id } organization { id } } }
        }`,
        { input: { message, signature, transport: 'COOKIE' } },
      );
    },
  };
}
