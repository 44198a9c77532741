import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { concatHex, encodeFunctionData, type Hex, keccak256, type PrivateKeyAccount, parseAbi, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { TEST_TOKEN_ADDRESS } from '../../../src/chain/providers/testToken.ts';
import { CREATE_ORDER, type Order, transferCall } from '../../payments/market.ts';
import type { DevelopmentChain } from '../../support/chain.ts';
import type { Answer } from '../../support/tollhouse.ts';
import type { Chances } from './chances.ts';
import type { ShakenChain } from './shakenChain.ts';

/** What is due of an order that is known by its reference, in base units. */
const DUE = 1_000n;

/** In which parts an order is paid, and how many in a hundred are paid so; null for one that is known by its amount. */
const PLANS: readonly { readonly share: number; readonly parts: readonly bigint[] | null }[] = [
  { share: 45, parts: [DUE] },
  { share: 10, parts: null },
  { share: 10, parts: [400n, 600n] },
  { share: 5, parts: [1n, 2n, 997n] },
  { share: 5, parts: [DUE + 1n] },
  { share: 5, parts: [DUE, DUE] },
  { share: 10, parts: [999n] },
  { share: 10, parts: [] },
];

/** One attempt to pay. */
export interface Attempt {
  /** What its transfers are known by: the reference behind them, or their units. */
  readonly mark: string;
  readonly due: bigint;
}

interface Shopper {
  readonly name: string;
  readonly account: PrivateKeyAccount;
  readonly address: Hex;
  nonce: number;
}

/** Where orders are asked for: any of the gateways, by chance, whoever lives. */
export type Ask = <Data>(query: string, variables: Record<string, unknown>, chance: number) => Promise<Answer<Data>>;

const mintAbi = parseAbi(['function mint(address, uint256)']);

/** Gives so many people a wallet with coins and tokens, in blocks that no reorganization reaches any more. */
export async function gatherShoppers(chain: DevelopmentChain, count: number, chances: Chances): Promise<Shopper[]> {
  const shoppers = Array.from({ length: count }, (_, place): Shopper => {
    const name = `shopper ${place}`;
    const account = privateKeyToAccount(keccak256(toHex(`${name} ${chances(name)()}`)));
    return { name, account, address: account.address.toLowerCase() as Hex, nonce: 0 };
  });
  for (const { address } of shoppers) {
    await chain.node.setBalance({ address, value: 10n ** 21n });
    const data = encodeFunctionData({ abi: mintAbi, functionName: 'mint', args: [address, 10n ** 30n] });
    await chain.send(5, { to: TEST_TOKEN_ADDRESS, data });
  }
  await chain.node.mine({ blocks: 80 });
  return shoppers;
}

/** Begins one attempt after another and pays each as its plan says, until so many are through. */
export async function shop(options: {
  readonly ask: Ask;
  readonly chain: ShakenChain;
  readonly shoppers: readonly Shopper[];
  /** Of the link whose orders are known by their references, and of the one whose are known by their amounts. */
  readonly slugs: { readonly byReference: string; readonly byAmount: string };
  readonly attempts: number;
  readonly chances: Chances;
}): Promise<Attempt[]> {
  const { ask, chain, shoppers, slugs, attempts, chances } = options;
  const made: Attempt[] = [];
  let begun = 0;
  const walk = async (shopper: Shopper): Promise<void> => {
    const random = chances(`${shopper.name} walks`);
    while (begun < attempts) {
      begun += 1;
      // whoever comes to it
      const parts = choose(chances(`attempt ${begun}`));
      const order = await insist(ask, random, {
        ...(parts ? { slug: slugs.byReference, payer: shopper.address } : { slug: slugs.byAmount }),
        idempotencyKey: randomUUID(),
      });
      const due = BigInt(order.due.units);
      const to: Hex = `0x${order.paymentRequest.data.slice(34, 74)}`;
      const reference: Hex = parts ? `0x${order.paymentRequest.data.slice(-32)}` : '0x';
      made.push({ mark: parts ? reference : order.due.units, due });
      for (const units of parts ?? [due]) {
        await chain.send(await sign(shopper, concatHex([transferCall(to, units), reference])));
        await sleep(random() * 40);
      }
    }
  };
  await Promise.all(shoppers.map(walk));
  return made;
}

function choose(random: () => number): readonly bigint[] | null {
  let left = random() * 100;
  for (const { share, parts } of PLANS) {
    left -= share;
    if (left < 0) return parts;
  }
  return [];
}

/** Asks with one key until there is an answer: whatever dies in between, it is one order. */
async function insist(ask: Ask, random: () => number, input: Record<string, unknown>): Promise<Order> {
  for (;;) {
    const answer = await ask<{ createPaymentOrder: { checkoutOrder: Order } | null }>(
      CREATE_ORDER,
      { input },
      random(),
    ).catch(() => null);
    const made = answer?.data?.createPaymentOrder;
    if (made) return made.checkoutOrder;
    const [error] = answer?.errors ?? [];
    // With a key, what was done and could not be shown is asked for again as well.
    const mayAskAgain = !error || error.extensions.retryable || error.extensions.code === 'ANSWER_LOST';
    if (!mayAskAgain) throw new Error(`An order was refused: ${JSON.stringify(error)}`);
    await sleep(100);
  }
}

async function sign(shopper: Shopper, data: Hex): Promise<Hex> {
  const nonce = shopper.nonce;
  shopper.nonce += 1;
  return shopper.account.signTransaction({
    to: TEST_TOKEN_ADDRESS,
    data,
    chainId: 31_337,
    nonce,
    gas: 200_000n,
    maxFeePerGas: 10_000_000_000n,
    maxPriorityFeePerGas: 0n,
  });
}
