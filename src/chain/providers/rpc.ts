import { BaseError, createPublicClient, http } from 'viem';

/** A call of a node's JSON-RPC. */
export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** The nodes of one chain, of which one is asked at a time. */
export interface Rpc {
  request(call: Call): Promise<unknown>;
  /** Many calls in as few requests as they fit; fails when one of them does. */
  requestAll(calls: readonly Call[]): Promise<unknown[]>;
  /** Has each node answer these calls; those that fail are left out, unless all do. */
  requestEach(calls: readonly Call[]): Promise<unknown[][]>;
  /** Asks the next node from now on. */
  turn(): void;
}

/** A node that could not be asked, or did not answer; its words may be shown to anybody. */
export class NodeError extends Error {
  constructor(chainId: number, what: string, reason: string) {
    super(`The node of chain ${chainId} failed at ${what}: ${reason}`);
    this.name = 'NodeError';
  }
}

const PATIENCE_MS = 10_000;

/** Calls that one request carries: what public providers take. */
const CALLS_A_REQUEST = 50;

/** A block full of logs is larger than viem takes unless told otherwise, and would hold the watcher up for good. */
const LONGEST_ANSWER = 500_000_000;

type Send = (call: Call, options: { signal: AbortSignal }) => Promise<unknown>;

/**
 * Each call waits ten seconds for its whole answer, and is not repeated: that is the caller's to decide. When one fails
 * the next node is asked from then on, so that whoever begins anew asks another one, and whatever was to be learned by
 * that call is not learned from two of them.
 * @param stop gives up the calls that are under way, and refuses later ones
 */
export function openRpc(chainId: number, urls: readonly string[], stop: AbortSignal | undefined): Rpc {
  const nodes = urls.map(connect);
  let current = 0;
  const turn = (): void => {
    current = (current + 1) % nodes.length;
  };
  const underWay = new Set<AbortController>();
  stop?.addEventListener('abort', () => {
    for (const call of underWay) call.abort();
  });

  async function patiently<Answer>(what: string, ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const giveUp = new AbortController();
    underWay.add(giveUp);
    if (stop?.aborted) giveUp.abort();
    const patience = setTimeout(() => giveUp.abort(), PATIENCE_MS);
    try {
      return await ask(giveUp.signal);
    } catch (error) {
      // viem's errors quote the node's address, which may carry a secret, and ours are written to the log.
      throw new NodeError(chainId, what, error instanceof BaseError ? error.shortMessage : 'it did not answer');
    } finally {
      clearTimeout(patience);
      underWay.delete(giveUp);
    }
  }

  const fromOne = ({ one }: Node, call: Call): Promise<unknown> =>
    patiently(call.method, (signal) => one(call, { signal }));

  async function fromCurrent<Answer>(ask: (node: Node) => Promise<Answer>): Promise<Answer> {
    const asked = current;
    try {
      return await ask(nodes[asked] as Node);
    } catch (error) {
      // Of many calls that fail at one node together, one turns to the next.
      if (asked === current) turn();
      throw error;
    }
  }

  return {
    request: (call) => fromCurrent((node) => fromOne(node, call)),
    requestAll: (calls) =>
      fromCurrent(({ many }) =>
        patiently(calls[0]?.method ?? 'nothing', (signal) => Promise.all(calls.map((call) => many(call, { signal })))),
      ),
    async requestEach(calls) {
      const asked = nodes.map((node) => Promise.all(calls.map((call) => fromOne(node, call))));
      const answered = (await Promise.allSettled(asked)).flatMap((one) =>
        one.status === 'fulfilled' ? [one.value] : [],
      );
      if (answered.length === 0) await asked[0];
      return answered;
    },
    turn,
  };
}

interface Node {
  readonly one: Send;
  /** Calls of the same tick and signal share requests. */
  readonly many: Send;
}

function connect(url: string): Node {
  // viem's own timeout ends with the headers, and its repeating waits for as long as a provider says.
  const options = { timeout: 0, retryCount: 0, maxResponseBodySize: LONGEST_ANSWER };
  const sender = (batch: boolean): Send =>
    createPublicClient({
      transport: http(url, { ...options, ...(batch && { batch: { batchSize: CALLS_A_REQUEST } }) }),
    }).request as unknown as Send;
  return { one: sender(false), many: sender(true) };
}
