import type { WorkerContext } from '../../context.ts';
import type { ChainSetting } from '../../environment.ts';
import type { ChainReader } from '../../ports.ts';
import { caip19Of } from '../model.ts';
import { lockChain } from './lockChain.ts';

/** A chain that is registered, in the history that it has now. */
export interface RegisteredChain {
  readonly incarnationId: string;
  readonly chainId: number;
  readonly genesisHash: string;
  /** Whether this history was never seen before, while another one was: the chain was reset. */
  readonly reset: boolean;
}

/**
 * Writes down a chain and its assets as the settings say, after asking the node whether they are true: its chain id,
 * each token's decimals, and by its genesis hash which history it has. What the settings got wrong is an error.
 */
export async function registerChain(
  context: WorkerContext,
  input: { readonly setting: ChainSetting; readonly reader: ChainReader },
): Promise<RegisteredChain> {
  const { setting, reader } = input;
  const { chainId } = setting;
  const nodeChainId = await reader.chainIdOfNode();
  if (nodeChainId !== chainId)
    throw new Error(`CHAINS says chain ${chainId}, but its node is of chain ${nodeChainId}.`);
  const genesisHash = await reader.genesisHash();
  const assets = await Promise.all(setting.assets.map((asset) => checkAsset(setting, asset, reader)));

  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.transaction(async (tx) => {
    // Whoever is adding an order to the present history has done so before the next one begins.
    await lockChain(tx, chainId, 'exclusive');
    const terms = {
      name: setting.name,
      testnet: setting.testnet,
      publicRpcUrl: setting.publicRpcUrl,
      confirmations: setting.confirmations,
    };
    await tx.chain.upsert({ where: { chainId }, create: { chainId, ...terms }, update: terms });
    for (const { caip19, ...asset } of assets) {
      const { symbol, name } = asset;
      await tx.asset.upsert({ where: { caip19 }, create: { ...asset, caip19 }, update: { symbol, name } });
    }
    const earlier = await tx.chainIncarnation.count({ where: { chainId, NOT: { genesisHash } } });
    await tx.chainIncarnation.updateMany({
      where: { chainId, current: true, NOT: { genesisHash } },
      data: { current: false },
    });
    // A start looks anew at what a watcher halted at; until it has, the chain takes no orders.
    await tx.chainIncarnation.updateMany({
      where: { chainId, genesisHash, NOT: { haltReason: null } },
      data: { haltReason: null, caughtUpAt: null },
    });
    const { id, createdAt, updatedAt } = await tx.chainIncarnation.upsert({
      where: { chainId_genesisHash: { chainId, genesisHash } },
      create: { chainId, genesisHash },
      update: { current: true },
    });
    const isNew = createdAt.getTime() === updatedAt.getTime();
    return { incarnationId: id, chainId, genesisHash, reset: isNew && earlier > 0 };
  });
}

async function checkAsset(
  { chainId }: ChainSetting,
  { address, symbol, name, decimals }: ChainSetting['assets'][number],
  reader: ChainReader,
): Promise<{
  chainId: number;
  caip19: string;
  address: string | null;
  symbol: string;
  name: string;
  decimals: number;
}> {
  const stored = address?.toLowerCase() ?? null;
  if (stored !== null) {
    const said = await reader.decimalsOf(stored);
    if (said !== decimals) {
      throw new Error(
        `CHAINS says that ${symbol} on chain ${chainId} has ${decimals} decimals; its contract says ${said}.`,
      );
    }
  }
  return { chainId, caip19: caip19Of(chainId, stored), address: stored, symbol, name, decimals };
}
