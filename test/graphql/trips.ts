import type { Statement } from '../../src/database/packet.ts';
import { currentScene, enter } from '../../src/database/scene.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type Answer, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

/** What one request cost. */
export interface Cost {
  /** Statements that do the work; what enters a scene or begins and ends a transaction is not counted. */
  readonly statements: number;
  readonly roundTrips: number;
}

/** A gateway whose round trips are counted. */
export interface CountedTollhouse extends TestTollhouse {
  /** Sends one request, and tells what it cost besides its answer. */
  count(
    query: string,
    variables?: Record<string, unknown>,
    token?: string,
  ): Promise<{ readonly cost: Cost; readonly answer: Answer<Record<string, unknown>> }>;
}

const ENTERING = new Set(
  (['member', 'impersonation', 'operator', 'identity', 'public', 'worker'] as const).flatMap((kind) =>
    [{}, { account: { issuer: '', subject: '' } }].map(
      (proof) =>
        enter({
          kind,
          requestId: '',
          sessionId: '',
          organizationId: '',
          impersonationId: '',
          freshSeconds: 0,
          ...proof,
        }).text,
    ),
  ),
);
const NOBODY = { prefixHash: Buffer.alloc(0), secretHash: Buffer.alloc(0), address: null, origin: null };
ENTERING.add(enter({ kind: 'key', requestId: '', claim: NOBODY, call: { counted: true } }).text);
const isWork = ({ text }: Statement): boolean => !ENTERING.has(text) && !/^(begin|commit|rollback)$/i.test(text);

/** Starts a gateway as in production, its limits included unless a test needs to ask often. */
export async function startCountedTollhouse(
  options: { readonly limits?: boolean; readonly settings?: Record<string, string> } = {},
): Promise<CountedTollhouse> {
  // by request, so that background work is not mistaken for it
  const packets = new Map<string, (readonly Statement[])[]>();
  const tollhouse = await startTollhouse({
    settings: { TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: options.limits === false ? '1' : '0', ...options.settings },
    onPacket: (statements) => {
      const requestId = currentScene.getStore()?.requestId ?? '';
      packets.set(requestId, [...(packets.get(requestId) ?? []), statements]);
    },
  });
  return {
    ...tollhouse,
    async count(query, variables = {}, token) {
      const requestId = newId();
      const answer = await tollhouse.ask(query, variables, {
        headers: { 'x-request-id': requestId, ...(token && { authorization: `Bearer ${token}` }) },
      });
      const sent = packets.get(requestId) ?? [];
      return { cost: { statements: sent.flat().filter(isWork).length, roundTrips: sent.length }, answer };
    },
  };
}
