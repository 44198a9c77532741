import { createRequire } from 'node:module';
import { z } from 'zod';
import { type FinalityPolicy, readFinality } from './finality.ts';
import { toUnits } from './money.ts';

/** An asset that payments are taken in, as `CHAINS` describes it. */
export interface AssetSetting {
  /** The token's contract; absent for the chain's native coin. */
  readonly address?: string | undefined;
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** Whether the payee's balance says what arrived, and not the token's log: it takes a fee, or changes balances. */
  readonly creditsBalanceDifference?: boolean | undefined;
  /** What payments need from so many base units on. */
  readonly thresholds?: readonly { readonly fromUnits: bigint; readonly finality: FinalityPolicy }[] | undefined;
}

/** A chain that payments are taken on, as `CHAINS` describes it. */
export interface ChainSetting {
  readonly chainId: number;
  readonly name: string;
  readonly testnet: boolean;
  /** What the watcher reads from; may carry a secret and is never shown. */
  readonly rpcUrl: string;
  /** Nodes that are asked in turn when that one fails. */
  readonly otherRpcUrls?: readonly string[] | undefined;
  /** What wallets are told to use. */
  readonly publicRpcUrl: string;
  /** Where people look up transactions, at `/tx/<hash>` (EIP-3091), without a slash at its end; absent where nobody knows. */
  readonly explorerUrl?: string | undefined;
  /** What payments need unless a threshold of their asset says otherwise. */
  readonly finality: FinalityPolicy;
  /** Whether blocks come with transactions alone, so that a head which does not move says nothing of its node. */
  readonly minesOnDemand?: boolean | undefined;
  readonly assets: readonly AssetSetting[];
}

const httpUrl = z.string().regex(/^https?:\/\/[^/\s]+/, 'must be an http(s):// URL');

/** GraphQL shows a chain's id as an Int. */
const chainId = z.number().int().positive().max(2_147_483_647);

const finality = z.string().transform((text, context): FinalityPolicy => {
  const policy = readFinality(text);
  if (policy) return policy;
  context.addIssue('must be INCLUDED, CONFIRMATIONS(n) of 1 to 1000, SAFE or FINALIZED');
  return z.NEVER;
});

const givenAsset = z.strictObject({
  address: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address')
    .optional(),
  symbol: z.string().min(1).max(50).optional(),
  name: z.string().min(1).max(100).optional(),
  decimals: z.number().int().min(0).max(77).optional(),
  creditsBalanceDifference: z.boolean().optional(),
  finality: z.array(z.strictObject({ from: z.string(), needs: finality })).optional(),
});

const givenChain = z.strictObject({
  chain: z.string().optional(),
  chainId: chainId.optional(),
  name: z.string().min(1).max(100).optional(),
  testnet: z.boolean().optional(),
  rpcUrl: z.preprocess((given) => (typeof given === 'string' ? [given] : given), z.array(httpUrl).min(1).max(10)),
  publicRpcUrl: httpUrl.optional(),
  explorerUrl: httpUrl.optional(),
  finality: finality.optional(),
  minesOnDemand: z.boolean().optional(),
  assets: z.array(givenAsset).min(1).max(100),
});

type GivenChain = z.infer<typeof givenChain>;
type GivenAsset = z.infer<typeof givenAsset>;

/** Tells a fault of what is at the path. */
type Tell = (message: string, ...path: (string | number)[]) => void;

const USUAL: FinalityPolicy = { kind: 'CONFIRMATIONS', confirmations: 12 };

/** What `CHAINS` may hold: chains that viem knows by their name there (`base`), and any other in full. */
export const chainSettings: z.ZodType<ChainSetting[]> = z
  .array(
    givenChain.transform((given, context): ChainSetting => {
      let faults = 0;
      const tell: Tell = (message, ...path) => {
        faults += 1;
        context.addIssue({ code: 'custom', message, path });
      };
      const setting = completeChain(given, tell);
      return faults > 0 ? z.NEVER : setting;
    }),
  )
  .min(1)
  .superRefine((chains, context) => {
    for (const index of repeats(chains.map((chain) => String(chain.chainId)))) {
      context.addIssue({ code: 'custom', message: 'names a chain that stands before it already', path: [index] });
    }
  });

function completeChain(given: GivenChain, tell: Tell): ChainSetting {
  const known = given.chain === undefined ? undefined : knownChain(given.chain);
  if (given.chain !== undefined && !known) tell('is no chain that viem/chains knows by this name', 'chain');
  if (known && given.chainId !== undefined && given.chainId !== known.id) {
    tell(`must be ${known.id}, or be left out`, 'chainId');
  }
  const need = <Value>(value: Value | undefined, name: string, otherwise: Value): Value => {
    if (value !== undefined) return value;
    // of a chain that nobody knows, one fault is enough
    if (given.chain === undefined || known) tell('is needed', name);
    return otherwise;
  };
  const [rpcUrl = '', ...otherRpcUrls] = given.rpcUrl;
  const explorerUrl = (given.explorerUrl ?? known?.blockExplorers?.default.url)?.replace(/\/+$/, '');
  const assets = given.assets.map((asset, index) =>
    completeAsset(asset, known?.nativeCurrency, (message, ...path) => tell(message, 'assets', index, ...path)),
  );
  for (const index of repeats(assets.map(({ address }) => address?.toLowerCase() ?? 'native'))) {
    tell('names an asset that stands before it already', 'assets', index);
  }
  return {
    chainId: need(given.chainId ?? known?.id, 'chainId', 1),
    name: need(given.name ?? known?.name, 'name', ''),
    testnet: given.testnet ?? known?.testnet ?? false,
    rpcUrl,
    ...(otherRpcUrls.length > 0 && { otherRpcUrls }),
    publicRpcUrl: need(given.publicRpcUrl ?? known?.rpcUrls.default.http[0], 'publicRpcUrl', ''),
    ...(explorerUrl !== undefined && { explorerUrl }),
    finality: given.finality ?? USUAL,
    ...(given.minesOnDemand !== undefined && { minesOnDemand: given.minesOnDemand }),
    assets,
  };
}

interface Currency {
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
}

function completeAsset(given: GivenAsset, coin: Currency | undefined, tell: Tell): AssetSetting {
  const { address, creditsBalanceDifference, finality: thresholds } = given;
  const known = address === undefined ? coin : undefined;
  const symbol = given.symbol ?? known?.symbol;
  const name = given.name ?? known?.name;
  const decimals = given.decimals ?? known?.decimals;
  if (symbol === undefined) tell('is needed', 'symbol');
  if (name === undefined) tell('is needed', 'name');
  if (decimals === undefined) tell('is needed', 'decimals');
  if (address === undefined && creditsBalanceDifference) tell('is of tokens alone', 'creditsBalanceDifference');
  return {
    ...(address !== undefined && { address }),
    symbol: symbol ?? '',
    name: name ?? '',
    decimals: decimals ?? 0,
    ...(creditsBalanceDifference && { creditsBalanceDifference }),
    ...(thresholds && decimals !== undefined && { thresholds: completeThresholds(thresholds, decimals, tell) }),
  };
}

function completeThresholds(
  given: NonNullable<GivenAsset['finality']>,
  decimals: number,
  tell: Tell,
): NonNullable<AssetSetting['thresholds']> {
  const thresholds = given.map(({ from, needs }, index) => {
    const fromUnits = toUnits(from, decimals);
    const isAmount = typeof fromUnits === 'bigint' && fromUnits > 0n;
    if (!isAmount) tell(`must be an amount such as "1000", of at most ${decimals} decimals`, 'finality', index, 'from');
    return { fromUnits: isAmount ? fromUnits : BigInt(-index), finality: needs };
  });
  for (const index of repeats(thresholds.map(({ fromUnits }) => fromUnits.toString()))) {
    tell('begins where another one does', 'finality', index);
  }
  return thresholds;
}

/** The places of what stands before them already. */
function repeats(values: readonly string[]): number[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));
}

interface KnownChain {
  readonly id: number;
  readonly name: string;
  readonly testnet?: boolean;
  readonly nativeCurrency: Currency;
  readonly rpcUrls: { readonly default: { readonly http: readonly string[] } };
  readonly blockExplorers?: { readonly default: { readonly url: string } };
}

/** Hundreds of definitions, half a second to load: only where one is asked for. */
function knownChain(name: string): KnownChain | undefined {
  const chains = createRequire(import.meta.url)('viem/chains') as Readonly<Record<string, KnownChain>>;
  return Object.hasOwn(chains, name) ? chains[name] : undefined;
}
