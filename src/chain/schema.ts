import { builder } from '../graphql/builder.ts';
import { showAddress } from '../kernel/address.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { showFinality } from '../kernel/finality.ts';
import { showUnits, toUnits } from '../kernel/money.ts';
import { type ChainStatus, findChainStatuses } from './commands/findChainStatuses.ts';
import { findFinalityRules } from './commands/findFinalityRules.ts';
import { caip2Of, caip19Of, finalityFor, finalityOf } from './model.ts';

const AssetFinality = builder.prismaObject('ChainFinalityRule', {
  variant: 'AssetFinality',
  description: 'What payments of a large amount need, instead of what is usual on the chain.',
  select: { finality: true, confirmations: true },
  fields: (t) => ({
    fromAmount: t.field({
      type: 'Decimal',
      description: 'In whole ones; of the amounts that a payment reaches, the highest counts.',
      select: { fromUnits: true, asset: { select: { decimals: true } } },
      resolve: ({ fromUnits: units, asset }) => showUnits(units, asset),
    }),
    finality: t.string({
      description: '`CONFIRMATIONS(n)`, `SAFE` or `FINALIZED`.',
      resolve: ({ finality, confirmations }) => showFinality(finalityOf(finality, confirmations)),
    }),
  }),
});

builder.prismaObject('Asset', {
  description: 'A coin or token that payments may be asked in.',
  select: { id: true },
  fields: (t) => ({
    caip19: t.string({
      description: 'Its CAIP-19 name, which inputs take.',
      select: { chainId: true, address: true },
      resolve: ({ chainId, address }) => caip19Of(chainId, address && showAddress(address)),
    }),
    symbol: t.exposeString('symbol', { description: 'Its short name; not unique, so never an identifier.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    decimals: t.exposeInt('decimals', {
      description: 'How many decimals a whole one has: units = amount × 10^decimals.',
    }),
    address: t.expose('address', {
      type: 'Address',
      nullable: true,
      description: 'The token’s contract; null for the chain’s native coin.',
    }),
    creditsBalanceDifference: t.exposeBoolean('creditsBalanceDifference', {
      description:
        'Whether it takes a fee or changes balances by itself, so that what arrived is credited, not what was sent.',
    }),
    finality: t.relation('finality', {
      type: AssetFinality,
      description: 'What payments need from certain amounts on; of others the chain’s own finality holds.',
      query: { orderBy: { fromUnits: 'asc' } },
    }),
    finalityFor: t.string({
      description: 'What a payment of so many whole ones needs, unless its link asks for something else.',
      args: { amount: t.arg({ type: 'Decimal', required: true, description: 'In whole ones.' }) },
      select: { id: true, chainId: true, decimals: true },
      resolve: async ({ id, chainId, decimals }, { amount }, { scope }) => {
        const units = toUnits(amount, decimals);
        if (typeof units !== 'bigint') throw kernelErrors.BAD_USER_INPUT({ amount, decimals, reason: units });
        return showFinality(finalityFor(await findFinalityRules(scope, chainId), id, units));
      },
    }),
  }),
});

const ChainStateEnum = builder.enumType('ChainState', {
  description: 'How a chain’s watcher fares.',
  values: {
    READING: { description: 'It has been read within the last minute to a head that moves.' },
    BEHIND: {
      description:
        'It has not been read to its head for a minute, or that has not moved; it takes no new orders until it does.',
    },
    HALTED: { description: 'It was reorganized deeper than it may be; a person has to look, and it takes no orders.' },
    UNWATCHED: {
      description:
        'The settings do not name it any more, and nobody watches it: it takes no orders, and what waits on it waits until they do.',
    },
  } as const,
});

const ChainStatusRef = builder.objectRef<ChainStatus>('ChainStatus').implement({
  description: 'How far a chain was read, and whether it still is.',
  fields: (t) => ({
    state: t.expose('state', { type: ChainStateEnum, description: 'How its watcher fares.' }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when it is so.' }),
    headNumber: t.expose('headNumber', {
      type: 'BigInt',
      nullable: true,
      description: 'The last block that was read; null before the first.',
    }),
    safeNumber: t.expose('safeNumber', {
      type: 'BigInt',
      nullable: true,
      description: 'The newest block that was read and that the chain itself calls safe.',
    }),
    finalizedNumber: t.expose('finalizedNumber', {
      type: 'BigInt',
      nullable: true,
      description: 'The newest block that was read and that the chain itself calls final.',
    }),
    readAt: t.expose('readAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the head was asked for up to which every block has been read, as it moved last; null before the first time.',
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when its nodes have failed each time they were asked; null when the last time went well.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why nobody watches it, why it was halted, or how its nodes failed the last time.',
    }),
  }),
});

/** A chain, with what a wallet needs to add it. */
export const ChainRef = builder.prismaObject('Chain', {
  description: 'A chain that payments are taken on, with what a wallet needs to add it.',
  select: { chainId: true },
  fields: (t) => ({
    finality: t.string({
      description:
        'What a payment needs unless its link or its amount asks for something else: `CONFIRMATIONS(n)`, `SAFE` or `FINALIZED`.',
      select: { finality: true, confirmations: true },
      resolve: ({ finality, confirmations }) => showFinality(finalityOf(finality, confirmations)),
    }),
    status: t.field({
      type: ChainStatusRef,
      nullable: true,
      description: 'How far it was read, and whether it still is; null while it is being registered.',
      resolve: async ({ chainId }, _args, { scope }) => (await findChainStatuses(scope, chainId))[0] ?? null,
    }),
    chainId: t.int({ description: 'Its EIP-155 chain id.', resolve: ({ chainId }) => Number(chainId) }),
    caip2: t.string({ description: 'Its CAIP-2 name.', resolve: ({ chainId }) => caip2Of(chainId) }),
    name: t.exposeString('name', { description: 'Its name.' }),
    testnet: t.exposeBoolean('testnet', { description: 'Whether its coins are worth nothing.' }),
    publicRpcUrl: t.exposeString('publicRpcUrl', { description: 'The node that wallets may use.' }),
    explorerUrl: t.string({
      nullable: true,
      description:
        'Where people look up its transactions, at `/tx/<hash>` (EIP-3091); null where the gateway knows no such place.',
      resolve: ({ chainId }, _args, { environment }) =>
        environment.CHAINS?.find((chain) => BigInt(chain.chainId) === chainId)?.explorerUrl ?? null,
    }),
    assets: t.relation('assets', {
      description: 'What can be paid with on it.',
      query: { orderBy: { createdAt: 'asc' } },
    }),
  }),
});

builder.queryField('chains', (t) =>
  t.prismaField({
    type: [ChainRef],
    description: 'The chains that payments are taken on.',
    resolve: (query, _root, _args, { scope }) =>
      scope.db.chain.findMany({
        ...query,
        where: { incarnations: { some: { current: true } } },
        orderBy: { chainId: 'asc' },
      }),
  }),
);
