import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { ChainSetting } from '../../environment.ts';
import type { FinalityPolicy } from '../../kernel/finality.ts';
import type { ChainReader } from '../../ports.ts';
import { caip19Of } from '../model.ts';
import { checkAssets } from './checkAssets.ts';
import { lockChain } from './lockChain.ts';

/** A chain that is registered, in the history that it has now. */
export interface RegisteredChain {
  readonly incarnationId: string;
  readonly chainId: number;
  readonly genesisHash: string;
  /** Whether this history was never seen before, while another one was: the chain was reset. */
  readonly reset: boolean;
  /** Whether its blocks come with transactions alone. */
  readonly minesOnDemand: boolean;
}

/**
 * Writes down a chain and its assets as the settings say, after asking the node whether they are true: its chain id, by
 * its genesis hash which history it has, and of each token that is new to that history decimals and symbol. What the
 * settings got wrong is an error that says all of it.
 */
export async function registerChain(
  context: WorkerContext,
  input: { readonly setting: ChainSetting; readonly reader: ChainReader },
): Promise<RegisteredChain> {
  const { setting, reader } = input;
  const { chainId, minesOnDemand = false } = setting;
  const histories = await reader.histories();
  const stranger = histories.find((history) => history.chainId !== chainId);
  if (stranger) throw new Error(`CHAINS says chain ${chainId}, but its node is of chain ${stranger.chainId}.`);
  const [genesisHash = '', ...others] = new Set(histories.map((history) => history.genesisHash));
  if (others.length > 0) throw new Error(`The nodes of chain ${chainId} in CHAINS have different genesis blocks.`);
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await checkAssets({ scope, setting, reader, genesisHash });

  return scope.transaction(async (tx) => {
    // Whoever is adding an order to the present history has done so before the next one begins.
    await lockChain(tx, chainId, 'exclusive');
    const terms = {
      name: setting.name,
      testnet: setting.testnet,
      publicRpcUrl: setting.publicRpcUrl,
      ...columnsOf(setting.finality),
    };
    await tx.chain.upsert({ where: { chainId }, create: { chainId, ...terms }, update: terms });
    await writeAssets(tx, setting);
    const earlier = await tx.chainIncarnation.count({ where: { chainId, NOT: { genesisHash } } });
    await tx.chainIncarnation.updateMany({
      where: { chainId, current: true, NOT: { genesisHash } },
      data: { current: false },
    });
    // A start looks anew at what a watcher halted at; until it has, the chain takes no orders.
    await tx.chainIncarnation.updateMany({
      where: { chainId, genesisHash, NOT: { haltReason: null } },
      data: { haltReason: null, haltedAt: null, caughtUpAt: null },
    });
    await tx.chainIncarnation.updateMany({
      where: { chainId, NOT: { unwatchedSince: null } },
      data: { unwatchedSince: null },
    });
    const { id, createdAt, updatedAt } = await tx.chainIncarnation.upsert({
      where: { chainId_genesisHash: { chainId, genesisHash } },
      create: { chainId, genesisHash },
      update: { current: true },
    });
    const isNew = createdAt.getTime() === updatedAt.getTime();
    return { incarnationId: id, chainId, genesisHash, reset: isNew && earlier > 0, minesOnDemand };
  });
}

/** What is told of every asset, and what payments in it need, as the settings say it now. */
async function writeAssets(tx: Transaction, { chainId, assets }: ChainSetting): Promise<void> {
  await tx.chainFinalityRule.deleteMany({ where: { asset: { chainId } } });
  for (const { address, symbol, name, decimals, creditsBalanceDifference = false, thresholds = [] } of assets) {
    const stored = address?.toLowerCase() ?? null;
    const caip19 = caip19Of(chainId, stored);
    const { id: assetId } = await tx.asset.upsert({
      where: { caip19 },
      create: { chainId, caip19, address: stored, symbol, name, decimals, creditsBalanceDifference },
      update: { symbol, name, creditsBalanceDifference },
      select: { id: true },
    });
    await tx.chainFinalityRule.createMany({
      data: thresholds.map(({ fromUnits, finality }) => ({
        assetId,
        fromUnits: fromUnits.toString(),
        ...columnsOf(finality),
      })),
    });
  }
}

function columnsOf(policy: FinalityPolicy): { finality: FinalityPolicy['kind']; confirmations: number | null } {
  return {
    finality: policy.kind,
    confirmations: policy.kind === 'CONFIRMATIONS' ? policy.confirmations : null,
  };
}
