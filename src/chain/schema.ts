import { builder } from '../graphql/builder.ts';
import { showAddress } from '../kernel/address.ts';
import { caip2Of, caip19Of } from './model.ts';

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
  }),
});

/** A chain, with what a wallet needs to add it. */
export const ChainRef = builder.prismaObject('Chain', {
  description: 'A chain that payments are taken on, with what a wallet needs to add it.',
  select: { chainId: true },
  fields: (t) => ({
    chainId: t.int({ description: 'Its EIP-155 chain id.', resolve: ({ chainId }) => Number(chainId) }),
    caip2: t.string({ description: 'Its CAIP-2 name.', resolve: ({ chainId }) => caip2Of(chainId) }),
    name: t.exposeString('name', { description: 'Its name.' }),
    testnet: t.exposeBoolean('testnet', { description: 'Whether its coins are worth nothing.' }),
    publicRpcUrl: t.exposeString('publicRpcUrl', { description: 'The node that wallets may use.' }),
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
