import { setTimeout } from 'node:timers/promises';
import { type Abi, type Address, createWalletClient, defineChain, type Hex, http, publicActions } from 'viem';
import artifact from '../contracts/TestToken.json' with { type: 'json' };
import { devAccount } from './devAccounts.ts';

/** Where the test token stands on every local chain: what account 4 deploys first (nonce 0). */
export const TEST_TOKEN_ADDRESS: Address = '0xbdEd0D2bf404bdcBa897a74E6657f1f12e5C6fb6';

/** Makes sure that the test token stands on the local chain (31337, no other); costs one read when it is there. */
export async function deployTestToken({ rpcUrl }: { rpcUrl: string }): Promise<{ address: Address }> {
  const client = connect(rpcUrl);
  if (!(await isDeployed(client))) {
    const chainId = await client.getChainId();
    if (chainId !== client.chain.id) throw new Error(`The test token belongs on chain 31337, not on ${chainId}.`);
    try {
      await deploy(client);
    } catch (cause) {
      if (!(await anotherDeploysIt(client))) throw await explain(client, cause);
    }
  }
  return { address: TEST_TOKEN_ADDRESS };
}

async function deploy(client: DeployerClient): Promise<void> {
  // The nonce is given, not asked for: a second deployment is refused by the chain and never lands elsewhere.
  const transaction = { abi: artifact.abi as Abi, bytecode: artifact.bytecode as Hex, nonce: 0 };
  const hash = await client.deployContract(transaction);
  const { status } = await client.waitForTransactionReceipt({ hash, timeout: 10_000, checkReplacement: false });
  if (status !== 'success') throw new Error(`The test token's deployment ${hash} was reverted.`);
}

// Another gateway on the same chain may have been faster; its deployment, the same as ours, may not be mined yet.
async function anotherDeploysIt(client: DeployerClient): Promise<boolean> {
  for (let attempt = 0; attempt < 40; attempt++) {
    // In this order: where the nonce is spent by a deployment, the code read after it shows it.
    const nonce = await nonceOf(client);
    if (await isDeployed(client)) return true;
    if (nonce !== 0) return false;
    await setTimeout(50);
  }
  return false;
}

async function explain(client: DeployerClient, cause: unknown): Promise<unknown> {
  const nonce = await nonceOf(client);
  if (nonce === 0) return cause;
  const { address } = client.account;
  return new Error(
    `The test token cannot be deployed at ${TEST_TOKEN_ADDRESS}: account 4 of the local chain (${address}) has ` +
      `already sent ${nonce} transaction(s) of its own. Reset the local chain, and leave account 4 to the gateway.`,
    { cause },
  );
}

function nonceOf(client: DeployerClient): Promise<number> {
  return client.getTransactionCount({ address: client.account.address });
}

async function isDeployed(client: DeployerClient): Promise<boolean> {
  return (await client.getCode({ address: TEST_TOKEN_ADDRESS })) !== undefined;
}

type DeployerClient = ReturnType<typeof connect>;

function connect(rpcUrl: string) {
  const chain = defineChain({
    id: 31337,
    name: 'Local chain',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const transport = http(rpcUrl, { timeout: 10_000 });
  return createWalletClient({ account: devAccount(4).account, chain, transport, pollingInterval: 50 }).extend(
    publicActions,
  );
}
