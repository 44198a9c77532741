import type { Scope } from '../../database/scope.ts';
import type { ChainSetting } from '../../environment.ts';
import type { ChainReader } from '../../ports.ts';
import { caip19Of } from '../model.ts';

/**
 * Asks each token's contract whether the settings are true of it: its decimals and its symbol, where it says them. A token
 * is asked once, when it is added to the chain's history; its decimals are never changed afterwards.
 * @throws an error that says all that is wrong
 */
export async function checkAssets(input: {
  readonly scope: Scope;
  readonly setting: ChainSetting;
  readonly reader: ChainReader;
  readonly genesisHash: string;
}): Promise<void> {
  const { scope, setting, reader, genesisHash } = input;
  const { chainId } = setting;
  const [history, registered] = await Promise.all([
    scope.db.chainIncarnation.findFirst({ where: { chainId, genesisHash }, select: { id: true } }),
    scope.db.asset.findMany({ where: { chainId }, select: { caip19: true, decimals: true } }),
  ]);
  const known = new Map(registered.map(({ caip19, decimals }) => [caip19, decimals]));
  const faults = await Promise.all(
    setting.assets.map(async (asset) => {
      const address = asset.address?.toLowerCase() ?? null;
      const decimals = known.get(caip19Of(chainId, address));
      if (decimals !== undefined && decimals !== asset.decimals) {
        return [`${asset.symbol} on chain ${chainId} has ${asset.decimals} decimals; it was added with ${decimals}`];
      }
      return address === null || (history && decimals !== undefined) ? [] : askToken(chainId, address, asset, reader);
    }),
  );
  const all = faults.flat();
  if (all.length > 0) throw new Error(`CHAINS says that ${all.join(', and that ')}.`);
}

async function askToken(
  chainId: number,
  address: string,
  { symbol, decimals }: ChainSetting['assets'][number],
  reader: ChainReader,
): Promise<string[]> {
  const [saidDecimals, saidSymbol] = await Promise.all([reader.decimalsOf(address), reader.symbolOf(address)]);
  return [
    ...(saidDecimals === decimals
      ? []
      : [`${symbol} on chain ${chainId} has ${decimals} decimals; its contract says ${saidDecimals}`]),
    ...(saidSymbol === null || saidSymbol === symbol
      ? []
      : [`the token ${address} on chain ${chainId} is ${symbol}; its contract says ${JSON.stringify(saidSymbol)}`]),
  ];
}
