import { readFileSync, renameSync } from 'node:fs';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { LocalLog } from '../../local/log.ts';
import { replaceFile } from '../../local/replaceFile.ts';

/** What of a dumped chain is looked at here; the rest is anvil's. */
interface ChainState {
  readonly accounts: object;
  readonly blocks: readonly {
    readonly header: { readonly number: string };
    readonly transactions: readonly unknown[];
  }[];
}

/** So many newest blocks stay, besides the genesis block and every block with a transaction. */
const KEPT_BLOCKS = 2_000;

/**
 * Makes a dumped chain fit to be loaded: sheds old empty blocks, and sets a file that cannot be read aside.
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
    if (!hasGenesis(state)) throw new Error('it has no genesis block');
    const blocks = state.blocks.filter(keeper(state));
    // A digit more than a double holds would be lost in writing; anvil has none today.
    const exact = !/[:[,]\d{16}/.test(contents);
    if (exact && blocks.length * 2 < state.blocks.length) replaceFile(file, JSON.stringify({ ...state, blocks }));
    return true;
  } catch (error) {
    setAside(file, log, error);
    return false;
  }
}

/** Moves a dumped chain out of the way and says so; the next chain is another one, with another genesis hash. */
export function setAside(file: string, log: LocalLog, cause: unknown): void {
  const aside = `${file}.broken`;
  renameSync(file, aside);
  const facts = { file: aside, reason: cause instanceof Error ? cause.message : String(cause) };
  log.warn(facts, 'The local chain’s saved state cannot be read and was set aside: beginning a new chain.');
}

function hasGenesis(state: ChainState): boolean {
  return typeof state.accounts === 'object' && state.blocks.some(({ header }) => BigInt(header.number) === 0n);
}

function keeper(state: ChainState): (block: ChainState['blocks'][number]) => boolean {
  const numbers = state.blocks.map(({ header }) => Number(header.number));
  const oldest = numbers.reduce((a, b) => Math.max(a, b), 0) - KEPT_BLOCKS;
  return ({ header, transactions }) => {
    const number = Number(header.number);
    return number === 0 || number > oldest || transactions.length > 0;
  };
}

/** Writes what `anvil_dumpState` answered (hex of gzip) as the file that `--state` reads; whole or not at all. */
export async function saveState(file: string, dump: string): Promise<void> {
  replaceFile(file, await promisify(gunzip)(Buffer.from(dump.slice(2), 'hex')));
}
