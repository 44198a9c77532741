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
