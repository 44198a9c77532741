import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import type { Payer } from '../payments/market.ts';
import type { DevelopmentChain } from '../support/chain.ts';

/** A contract as its compiler has left it. */
interface Artifact {
  readonly bytecode: string;
}

/** A token that a test has deployed. */
export interface DeployedToken {
  /** In lower case. */
  readonly address: Hex;
  /** The call of one of its functions. */
  call(name: 'mint' | 'transfer', to: string, units: bigint): Hex;
}

const abi = parseAbi(['function mint(address, uint256)', 'function transfer(address, uint256)']);

/** Deploys a token, with a million millions of its units for who deploys it. */
export async function deployToken(
  { public: client }: Pick<DevelopmentChain, 'public'>,
  payer: Payer,
  { bytecode }: Artifact,
): Promise<DeployedToken> {
  const { hash } = await payer.send({ data: bytecode as Hex });
  const { contractAddress } = await client.getTransactionReceipt({ hash });
  if (!contractAddress) throw new Error('The token was not deployed.');
  const call: DeployedToken['call'] = (functionName, to, units) =>
    encodeFunctionData({ abi, functionName, args: [to as Hex, units] });
  await payer.send({ to: contractAddress, data: call('mint', payer.address, 10n ** 12n) });
  return { address: contractAddress.toLowerCase() as Hex, call };
}
