import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalLog } from '../../local/log.ts';
import { saveState } from './anvilState.ts';

const BLOCK_TIME = 1_000;
/** After an hour without a transaction a block a minute is enough, so that a chain left alone hardly grows. */
const IDLE_AFTER = 3_600_000;
const IDLE_BLOCK_TIME = 60_000;
/** Between two dumps: at least this, and a hundred times what the last one took. */
const DUMP_PAUSE = 5_000;

interface Kept {
  /** The JSON-RPC of the running anvil. */
  readonly url: string;
  /** Where its state is saved. */
  readonly file: string;
  readonly log: LocalLog;
}

/**
 * Keeps a running anvil as a chain is kept: a block every second besides those that transactions cause, and its state
 * on the disk every five.
 *
 * Anvil's own `--block-time 1` cannot be used for a chain that runs for hours: under it the limit on the states kept
 * is ignored. It mines a transaction at once without it, and whoever switches that off (`evm_setAutomine`,
 * `evm_setIntervalMining`) has stopped this clock too.
 * @returns how to let it go: no block is mined and no dump written once that has resolved
 */
export function keepChain(given: Kept): () => Promise<void> {
  const over = new AbortController();
  const kept = keep(given, over.signal);
  return async () => {
    over.abort();
    await kept;
  };
}

async function keep({ url, file, log }: Kept, over: AbortSignal): Promise<void> {
  const mine = blockClock(url, over);
  let dumpAt = Date.now() + DUMP_PAUSE;
  let troubled = false;
  while (!over.aborted) {
    const began = Date.now();
    try {
      await mine();
      if (Date.now() >= dumpAt) {
        const before = Date.now();
        await saveState(file, await askAnvil<string>(url, 'anvil_dumpState', over));
        dumpAt = Date.now() + Math.max(DUMP_PAUSE, 100 * (Date.now() - before));
      }
      troubled = false;
    } catch (error) {
      if (!troubled && !over.aborted) log.warn({ reason: String(error) }, 'The local chain cannot be kept going.');
      troubled = true;
    }
    await sleep(Math.max(0, began + BLOCK_TIME - Date.now()), undefined, { signal: over, ref: false }).catch(() => {});
  }
}

/** Mines one block if it is time for one; to be asked every second. */
function blockClock(url: string, over: AbortSignal): () => Promise<void> {
  let seen = -1;
  let activeAt = 0;
  let minedAt = 0;
  return async () => {
    const now = Date.now();
    const number = Number(await askAnvil<string>(url, 'eth_blockNumber', over));
    // A block that is not from here: somebody sent a transaction.
    if (number !== seen) activeAt = now;
    seen = number;
    const due = now - activeAt < IDLE_AFTER || now - minedAt >= IDLE_BLOCK_TIME;
    if (!due || !(await askAnvil<boolean>(url, 'anvil_getAutomine', over))) return;
    await askAnvil(url, 'evm_mine', over);
    seen = number + 1;
    minedAt = now;
  };
}

/** Asks the anvil at this address. */
export async function askAnvil<Answer>(url: string, method: string, over?: AbortSignal): Promise<Answer> {
  const patience = AbortSignal.timeout(30_000);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }),
    signal: over ? AbortSignal.any([over, patience]) : patience,
  });
  const answer = (await response.json()) as { result?: Answer; error?: { message: string } };
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result as Answer;
}
