import { readFileSync, renameSync } from 'node:fs';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { LocalLog } from '../../local/log.ts';
import { replaceFile } from '../../local/replaceFile.ts';

interface Block {
  readonly header: { readonly number: string; readonly gasLimit: string };
  readonly transactions: readonly unknown[];
}

/** What of a dumped chain is looked at here; the rest is anvil's. */
interface ChainState {
  readonly accounts: object;
  /** In no order. */
  readonly blocks: readonly Block[];
}

/** So many newest blocks stay, besides the genesis block and every block with a transaction. */
const KEPT_BLOCKS = 2_000;

/** The gas limit of the genesis block that anvil makes before it loads a chain; a chain's own has another. */
export const PASSING_GAS_LIMIT = 30_000_000;

/**
 * Makes a dumped chain fit to be loaded: sheds what grew without use, and sets a file that cannot be read aside.
 * @returns whether there is a chain to load
 */
export function prepareState(file: string, log: LocalLog): boolean {
  let contents: string;
  try {
    contents = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    setAside(file, log, error);
    return false;
  }
  try {
    const state = JSON.parse(contents) as ChainState;
    const own = state.blocks.filter(isOwn);
    if (typeof state.accounts !== 'object' || !own.some(({ header }) => Number(header.number) === 0)) {
      throw new Error('it has no genesis block');
    }
    const used = own.filter(isUsed(own));
    const blocks = used.length * 2 < own.length ? used : own;
    if (blocks.length < state.blocks.length) {
      // A digit more than a double holds would be lost in writing; anvil has none today.
      if (/[:[,]\d{16}/.test(contents)) throw new Error('it has numbers that cannot be kept');
      replaceFile(file, JSON.stringify({ ...state, blocks }));
    }
    return true;
  } catch (error) {
    setAside(file, log, error);
    return false;
  }
}

/**
 * Whether the block is of this chain. Each time that anvil loads a chain, the genesis block that it had made before
 * stays beside the chain's own, and of two it takes either one the next time.
 */
function isOwn({ header }: Block): boolean {
  return Number(header.number) !== 0 || Number(header.gasLimit) !== PASSING_GAS_LIMIT;
}

function isUsed(blocks: readonly Block[]): (block: Block) => boolean {
  const newest = blocks.reduce((most, { header }) => Math.max(most, Number(header.number)), 0);
  return ({ header, transactions }) => {
    const number = Number(header.number);
    return number === 0 || number > newest - KEPT_BLOCKS || transactions.length > 0;
  };
}

/** Moves a dumped chain out of the way and says so; the next chain is another one, with another genesis hash. */
export function setAside(file: string, log: LocalLog, cause: unknown): void {
  const aside = `${file}.broken`;
  renameSync(file, aside);
  const facts = { file: aside, reason: cause instanceof Error ? cause.message : String(cause) };
  log.warn(facts, 'The local chain’s saved state cannot be read and was set aside: beginning a new chain.');
}

/** Writes what `anvil_dumpState` answered (hex of gzip) as the file that `--state` reads; whole or not at all. */
export async function saveState(file: string, dump: string): Promise<void> {
  replaceFile(file, await promisify(gunzip)(Buffer.from(dump.slice(2), 'hex')));
}
