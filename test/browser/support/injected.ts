/** What a page is told to be, and answers by. */
export interface InjectedSetting {
  readonly name: string;
  readonly rdns: string;
  readonly uuid: string;
}

type Answer = { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } };

/** What this code finds in a page, beside what Node has as well. */
interface Page extends EventTarget {
  tollhouseWallet(method: string, params: readonly unknown[]): Promise<Answer>;
  tollhouseEmit?(event: string, ...values: unknown[]): void;
}

/**
 * Runs inside a page, before its own code: a wallet as extensions are, EIP-1193 behind EIP-6963, whose every answer is the
 * test's. It is sent there as text, so it uses nothing but its argument.
 */
export function injectWallet({ name, rdns, uuid }: InjectedSetting): void {
  const page = globalThis as unknown as Page;
  const listeners = new Map<string, Set<(...values: unknown[]) => void>>();
  const emit = (event: string, ...values: unknown[]): void => {
    for (const listener of listeners.get(event) ?? []) listener(...values);
  };
  const provider = {
    async request({ method, params = [] }: { method: string; params?: readonly unknown[] }): Promise<unknown> {
      const answer = await page.tollhouseWallet(method, params);
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      if (method === 'eth_requestAccounts') emit('accountsChanged', answer.result);
      if (method === 'wallet_switchEthereumChain') emit('chainChanged', (params[0] as { chainId: string }).chainId);
      return answer.result;
    },
    on(event: string, listener: (...values: unknown[]) => void) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
      return provider;
    },
    removeListener(event: string, listener: (...values: unknown[]) => void) {
      listeners.get(event)?.delete(listener);
      return provider;
    },
  };
  page.tollhouseEmit = emit;
  const icon = `data:image/svg+xml,${encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="2" fill="#f2a33a"/></svg>',
  )}`;
  const detail = Object.freeze({ info: Object.freeze({ uuid, name, icon, rdns }), provider });
  const announce = (): void => {
    page.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }));
  };
  page.addEventListener('eip6963:requestProvider', announce);
  announce();
}
