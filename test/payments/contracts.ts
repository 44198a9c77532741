import { concatHex, encodeFunctionData, getContractAddress, type Hex, numberToHex, parseAbi, size } from 'viem';
import artifact from '../../src/chain/contracts/TestToken.json' with { type: 'json' };
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { type Market, newPayer, type Order, type Payer, transferCall } from './market.ts';

const mintAbi = parseAbi(['function mint(address, uint256)']);

/** Deploys the test token's code a second time, at another address, with a million for the payer. */
export async function deployLookAlike({ chain }: Pick<Market, 'chain'>, payer: Payer): Promise<Hex> {
  const { hash } = await payer.send({ data: artifact.bytecode as Hex });
  const { contractAddress } = await chain.public.getTransactionReceipt({ hash });
  if (!contractAddress) throw new Error('The look-alike was not deployed.');
  const mint = { abi: mintAbi, functionName: 'mint', args: [payer.address, 10n ** 12n] } as const;
  await payer.send({ to: contractAddress, data: encodeFunctionData(mint) });
  return contractAddress;
}

interface Part {
  readonly order: Order;
  readonly units: bigint;
}

/**
 * Pays orders by several transfers of one transaction, out of a contract that makes them while it is deployed.
 * @param agree is told who will pay, and answers with what is to be paid, each part with its order's reference
 */
export async function payInOneTransaction<Parts extends readonly Part[]>(
  market: Pick<Market, 'chain' | 'merchant'>,
  agree: (payer: Hex) => Promise<Parts>,
): Promise<{ readonly hash: Hex; readonly payer: Hex; readonly parts: Parts }> {
  const deployer = await newPayer(market);
  const nonce = BigInt(await market.chain.public.getTransactionCount({ address: deployer.address }));
  // The next transaction gives it money, the one after that deploys it.
  const payer = getContractAddress({ from: deployer.address, nonce: nonce + 1n }).toLowerCase() as Hex;
  const parts = await agree(payer);
  await deployer.transfer(
    payer,
    parts.reduce((total, { units }) => total + units, 0n),
  );
  const calls = parts.map(({ order, units }) => ({
    to: TEST_TOKEN_ADDRESS,
    data: concatHex([transferCall(market.merchant.account.address, units), order.reference]),
  }));
  const { hash } = await deployer.send({ data: callerOf(calls) });
  return { hash, payer, parts };
}

/** Creation code that makes each call, then leaves an empty contract; the calls' bytes stand behind it. */
export function callerOf(calls: readonly { readonly to: Hex; readonly data: Hex }[]): Hex {
  const word = (value: number): Hex => numberToHex(value, { size: 2 });
  // Nine bytes copy a call's input to memory, thirty-five make the call; one more byte stops.
  const codeSize = calls.length * 44 + 1;
  const code = calls.map(({ to, data }, index) => {
    const offset = codeSize + calls.slice(0, index).reduce((total, earlier) => total + size(earlier.data), 0);
    const copy = concatHex(['0x61', word(size(data)), '0x61', word(offset), '0x6000', '0x39']);
    const input = concatHex(['0x6000', '0x6000', '0x61', word(size(data)), '0x6000', '0x6000']);
    return concatHex([copy, input, '0x73', to, '0x5af150']);
  });
  return concatHex([...code, '0x00', ...calls.map(({ data }) => data)]);
}

/**
 * Deploys a token of so many decimals, with a million million million for the payer: it answers for its decimals itself,
 * and has the test token's code do everything else in its own storage and its own name.
 */
export async function deployTokenOf({ chain }: Pick<Market, 'chain'>, payer: Payer, decimals: number): Promise<Hex> {
  const byte = (value: number): Hex => numberToHex(value, { size: 1 });
  // what was asked is compared with the selector of decimals(), and jumps to the last seven instructions
  const asked = (place: number): Hex => concatHex(['0x60003560e01c63313ce5671460', byte(place), '0x57']);
  const handOn = concatHex(['0x3660006000376000600036600073', TEST_TOKEN_ADDRESS, '0x5af43d600060003e60']);
  const endOfAsked = size(asked(0));
  const success = endOfAsked + size(handOn) + 1 + 1 + 4;
  const answer = success + 5;
  const code = concatHex([
    asked(answer),
    handOn,
    byte(success),
    '0x573d6000fd',
    '0x5b3d6000f3',
    concatHex(['0x5b60', byte(decimals), '0x60005260206000f3']),
  ]);
  // eleven bytes that answer the rest
  const { hash } = await payer.send({ data: concatHex(['0x60', byte(size(code)), '0x80600b6000396000f3', code]) });
  const { contractAddress } = await chain.public.getTransactionReceipt({ hash });
  if (!contractAddress) throw new Error('The token was not deployed.');
  const mint = { abi: mintAbi, functionName: 'mint', args: [payer.address, 10n ** 30n] } as const;
  await payer.send({ to: contractAddress, data: encodeFunctionData(mint) });
  return contractAddress.toLowerCase() as Hex;
}
