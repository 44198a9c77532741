import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import { TEST_TOKEN_ADDRESS } from '../../../src/chain/providers/testToken.ts';
import type { DevelopmentChain } from '../../support/chain.ts';
import { type Person, signIn } from '../../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../../support/tollhouse.ts';

export const TUSD = `eip155:31337/erc20:${TEST_TOKEN_ADDRESS}`;
export const ETH = 'eip155:31337/slip44:60';

/** A link, and the path of its page. */
export interface ShopLink {
  readonly id: string;
  readonly slug: string;
  readonly path: string;
}

/** An order as the merchant sees it. */
export interface ShopOrder {
  readonly id: string;
  readonly status: string;
  readonly exceptions: readonly string[];
  readonly fieldValues: Readonly<Record<string, unknown>>;
}

/** A gateway whose worker watches a real chain, and a merchant who takes payments there. */
export interface Shop {
  readonly house: TestTollhouse;
  readonly chain: DevelopmentChain;
  readonly merchant: Person;
  /** Where browsers come, without a slash at its end. */
  readonly origin: string;
  /** Makes a link of the merchant's: of 12.5 TUSD, unless something else is said; answers its page. */
  makeLink(input?: Readonly<Record<string, unknown>>): Promise<ShopLink>;
  /** Asks as the merchant. */
  ask<Data = Record<string, unknown>>(query: string, variables?: object): Promise<Data>;
  /** The link's orders, the oldest first. */
  ordersOf(linkId: string): Promise<readonly ShopOrder[]>;
  /** The rows of one statement, as a superuser. */
  sql<Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]>;
  /** Gives an account enough of the coin and of the token. */
  fund(payer: { readonly account: { readonly address: Hex } }): Promise<void>;
  close(): Promise<void>;
}

/** Opens a shop. */
export async function openShop(settings: Record<string, string> = {}): Promise<Shop> {
  const house = await startTollhouse({ chain: true, settings });
  const { chain } = house;
  if (!chain) throw new Error('The house has no chain.');
  await watched(house);
  const merchant = await signIn(house);
  const ask: Shop['ask'] = async <Data>(query: string, variables: object = {}) => {
    const { data, errors } = await house.ask<Data>(query, { ...variables }, { token: merchant.accessToken });
    if (!data || errors.length > 0) throw new Error(`The merchant was refused: ${JSON.stringify(errors)}`);
    return data;
  };
  return {
    house,
    chain,
    merchant,
    origin: house.url.replace(/\/graphql$/, ''),
    ask,
    makeLink: async ({ accepts = [{ asset: TUSD, amount: '12.5' }], ...input } = {}) => {
      const payTo = merchant.account.address;
      const paid = (accepts as readonly object[]).map((accept) => ({ payTo, ...accept }));
      const { createPaymentLink } = await ask<{ createPaymentLink: { paymentLink: { id: string; slug: string } } }>(
        `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { id slug } } }`,
        { input: { title: 'Lunch for two', accepts: paid, ...input } },
      );
      const { id, slug } = createPaymentLink.paymentLink;
      return { id, slug, path: `/pay/${slug}` };
    },
    ordersOf: async (id) => {
      const { node } = await ask<{ node: { orders: { edges: { node: ShopOrder }[] } } }>(
        `query ($id: ID!) { node(id: $id) { ... on PaymentLink {
          orders(first: 50) { edges { node { id status exceptions fieldValues } } }
        } } }`,
        { id },
      );
      return node.orders.edges.map((edge) => edge.node).toReversed();
    },
    fund: async ({ account: { address } }) => {
      await chain.node.setBalance({ address, value: 10n ** 21n });
      const abi = parseAbi(['function mint(address, uint256)']);
      const data = encodeFunctionData({ abi, functionName: 'mint', args: [address, 10n ** 12n] });
      await chain.send(9, { to: TEST_TOKEN_ADDRESS, data });
    },
    sql: (text, ...values) => house.database.sql(text, values),
    close: () => house.stop(),
  };
}

/** Waits until the worker has read the chain to its head, so that it takes orders. */
async function watched(house: TestTollhouse): Promise<void> {
  for (;;) {
    const { data } = await house.ask<{ chains: { status: { state: string } | null }[] }>(
      '{ chains { status { state } } }',
    );
    if (data?.chains.some(({ status }) => status?.state === 'READING')) return;
    await sleep(50);
  }
}
