import { Resolver } from 'node:dns/promises';
import type { DomainResolver } from '../../ports.ts';
import { tenancyErrors } from '../errors.ts';

/** For one question to one server; it is asked twice. */
const PATIENCE_MS = 2_000;

/** There is no such name, or it has no such record: an answer like any other. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA']);

/** Asks the name system itself, and not the machine's own list of hosts. */
export function createDomainResolver(servers: readonly string[] | undefined): DomainResolver {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 2 });
  if (servers) resolver.setServers(servers);
  return {
    async textRecords(name) {
      try {
        // a long text comes in pieces
        return (await resolver.resolveTxt(name)).map((pieces) => pieces.join(''));
      } catch (cause) {
        const code = String((cause as NodeJS.ErrnoException).code);
        if (NOTHING.has(code)) return [];
        throw tenancyErrors.DOMAIN_CHECK_UNAVAILABLE({ reason: code }, { cause, retryAfter: 10 });
      }
    },
  };
}
