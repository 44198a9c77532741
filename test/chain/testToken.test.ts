import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import {
  type Abi,
  type Address,
  concatHex,
  createWalletClient,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  http,
  parseAbi,
  parseEventLogs,
  publicActions,
} from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { anvil as anvilChain } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import artifact from '../../src/chain/contracts/TestToken.json' with { type: 'json' };
import { type DevAccountIndex, demoAccount, devAccount } from '../../src/chain/providers/devAccounts.ts';
import { deployTestToken, TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';

const abi = parseAbi([
  'function name() view returns (string)',
  'function symbol() view returns (string)',
  'function decimals() view returns (uint8)',
  'function totalSupply() view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function allowance(address, address) view returns (uint256)',
  'function mint(address, uint256)',
  'function transfer(address, uint256) returns (bool)',
  'function approve(address, uint256) returns (bool)',
  'function transferFrom(address, address, uint256) returns (bool)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event Approval(address indexed owner, address indexed spender, uint256 value)',
  'error InsufficientBalance(address account, uint256 balance, uint256 needed)',
  'error InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  'error InvalidReceiver(address receiver)',
]);
const ZERO: Address = '0x0000000000000000000000000000000000000000';
const UNLIMITED = 2n ** 256n - 1n;

const binary =
  process.env.ANVIL_BIN ?? createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil');
const nodes: ChildProcess[] = [];

async function startChain(...flags: string[]): Promise<string> {
  const mining = ['--block-time', '1', '--mixed-mining'];
  const node = spawn(binary, ['--host', '127.0.0.1', '--port', '0', ...mining, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  nodes.push(node);
  let said = '';
  for await (const chunk of node.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    const address = /Listening on (\S+)\n/.exec(said)?.[1];
    if (!address) continue;
    // Read on, unheard: a full pipe would stop the node.
    node.stdout.resume();
    return `http://${address}`;
  }
  throw new Error(`anvil ended before it listened: ${said}`);
}

process.once('exit', () => {
  for (const node of nodes) node.kill('SIGKILL');
});

function walletOf(index: DevAccountIndex, rpcUrl: string) {
  const { account } = devAccount(index);
  return createWalletClient({ account, chain: anvilChain, transport: http(rpcUrl), pollingInterval: 50 }).extend(
    publicActions,
  );
}

afterAll(async () => {
  for (const node of nodes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    node.kill();
    await once(node, 'exit');
  }
});

describe('the development accounts', () => {
  test('are those that anvil funds, each with its publicly known key', () => {
    expect(devAccount(0).address).toBe('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
    expect(devAccount(0).privateKey).toBe('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
    expect(devAccount(9).address).toBe('0xa0Ee7A142d267C1f36714E4a8F75612F20a79720');
    for (const index of [0, 1, 2, 3] as const) {
      const demo = demoAccount(index);
      expect(privateKeyToAddress(demo.privateKey)).toBe(demo.address);
      expect(demo.address).toBe(devAccount(index).address);
    }
  });
});

describe('deploying the test token', () => {
  test('has an address that follows from account 4 and nonce 0', () => {
    expect(TEST_TOKEN_ADDRESS).toBe(getContractAddress({ from: devAccount(4).address, nonce: 0n }));
  });

  test('puts it there once, and finds it there the second time', async () => {
    const rpcUrl = await startChain();
    const wallet = walletOf(5, rpcUrl);
    expect(await wallet.getCode({ address: TEST_TOKEN_ADDRESS })).toBeUndefined();

    expect(await deployTestToken({ rpcUrl })).toEqual({ address: TEST_TOKEN_ADDRESS });
    expect(await wallet.getCode({ address: TEST_TOKEN_ADDRESS })).toMatch(/^0x60/);
    expect(await deployTestToken({ rpcUrl })).toEqual({ address: TEST_TOKEN_ADDRESS });

    expect(await wallet.getTransactionCount({ address: devAccount(4).address })).toBe(1);
    for (const index of [0, 1, 2, 3, 5, 6, 7, 8, 9] as const) {
      expect(await wallet.getTransactionCount({ address: devAccount(index).address })).toBe(0);
    }
  });

  test('by four at once puts one token there, and all four find it', async () => {
    const rpcUrl = await startChain();
    const all = await Promise.all([1, 2, 3, 4].map(() => deployTestToken({ rpcUrl })));
    expect(all).toEqual(Array(4).fill({ address: TEST_TOKEN_ADDRESS }));
    expect(await walletOf(5, rpcUrl).getTransactionCount({ address: devAccount(4).address })).toBe(1);
  });

  test('is refused, and says why, where account 4 has sent something else before', async () => {
    const rpcUrl = await startChain();
    const deployer = walletOf(4, rpcUrl);
    const hash = await deployer.sendTransaction({ to: devAccount(5).address, value: 1n });
    await deployer.waitForTransactionReceipt({ hash, checkReplacement: false });

    await expect(deployTestToken({ rpcUrl })).rejects.toThrow(/account 4 .* has already sent 1 transaction/);
    expect(await deployer.getCode({ address: TEST_TOKEN_ADDRESS })).toBeUndefined();
    expect(await deployer.getTransactionCount({ address: devAccount(4).address })).toBe(1);
  });

  test('is refused on a chain that is not the local one, and nothing is sent', async () => {
    const rpcUrl = await startChain('--chain-id', '1');
    await expect(deployTestToken({ rpcUrl })).rejects.toThrow('not on 1');
    expect(await walletOf(5, rpcUrl).getTransactionCount({ address: devAccount(4).address })).toBe(0);
  });
});

describe('the test token', () => {
  const [holder, friend] = [devAccount(6).address, devAccount(7).address];
  let wallet: ReturnType<typeof walletOf>;
  let friendsWallet: ReturnType<typeof walletOf>;

  beforeAll(async () => {
    const rpcUrl = await startChain();
    await deployTestToken({ rpcUrl });
    wallet = walletOf(6, rpcUrl);
    friendsWallet = walletOf(7, rpcUrl);
  });

  const balanceOf = (account: Address) =>
    wallet.readContract({ address: TEST_TOKEN_ADDRESS, abi, functionName: 'balanceOf', args: [account] });
  const supply = () => wallet.readContract({ address: TEST_TOKEN_ADDRESS, abi, functionName: 'totalSupply' });

  async function send(from: typeof wallet, data: Hex) {
    const hash = await from.sendTransaction({ to: TEST_TOKEN_ADDRESS, data });
    const receipt = await from.waitForTransactionReceipt({ hash, checkReplacement: false });
    expect(receipt.status).toBe('success');
    return parseEventLogs({ abi, logs: receipt.logs }).map(({ eventName, args }) => ({ eventName, args }));
  }

  const mint = (value: bigint) => encodeFunctionData({ abi, functionName: 'mint', args: [holder, value] });
  const transfer = (to: Address, value: bigint) =>
    encodeFunctionData({ abi, functionName: 'transfer', args: [to, value] });

  test('was compiled from the source beside it', async () => {
    const source = await readFile(new URL('../../src/chain/contracts/TestToken.sol', import.meta.url));
    expect(artifact.sourceSha256).toBe(createHash('sha256').update(source).digest('hex'));
    const names = (artifact.abi as Abi).flatMap((entry) => ('name' in entry ? [entry.name] : []));
    expect(names.sort()).toEqual(abi.map(({ name }) => name).sort());
  });

  test('says its name, its symbol and its 6 decimals', async () => {
    const read = (functionName: 'name' | 'symbol' | 'decimals') =>
      wallet.readContract({ address: TEST_TOKEN_ADDRESS, abi, functionName });
    expect(await Promise.all([read('name'), read('symbol'), read('decimals')])).toEqual([
      'Toll Test Dollar',
      'TUSD',
      6,
    ]);
  });

  test('is minted by anyone, but not to the zero address and not past what a balance can hold', async () => {
    expect(await send(friendsWallet, mint(5_000_000n))).toEqual([
      { eventName: 'Transfer', args: { from: ZERO, to: holder, value: 5_000_000n } },
    ]);
    expect([await balanceOf(holder), await supply()]).toEqual([5_000_000n, 5_000_000n]);

    await expect(send(wallet, mint(UNLIMITED))).rejects.toThrow(/overflow/);
    const toNobody = encodeFunctionData({ abi, functionName: 'mint', args: [ZERO, 1n] });
    await expect(send(wallet, toNobody)).rejects.toThrow();
    expect([await balanceOf(holder), await supply()]).toEqual([5_000_000n, 5_000_000n]);
  });

  test('moves what a holder has, and refuses a unit more', async () => {
    await send(wallet, mint(3n));
    const before = await balanceOf(holder);
    expect(await send(wallet, transfer(friend, 2n))).toEqual([
      { eventName: 'Transfer', args: { from: holder, to: friend, value: 2n } },
    ]);
    expect([await balanceOf(holder), await balanceOf(friend)]).toEqual([before - 2n, 2n]);
    expect(await send(wallet, transfer(holder, 1n))).toHaveLength(1);
    expect(await balanceOf(holder)).toBe(before - 2n);

    const tooMuch = {
      address: TEST_TOKEN_ADDRESS,
      abi,
      functionName: 'transfer',
      args: [friend, before - 1n],
    } as const;
    await expect(wallet.simulateContract(tooMuch)).rejects.toThrow('InsufficientBalance');
    const toNobody = { ...tooMuch, args: [ZERO, 1n] } as const;
    await expect(wallet.simulateContract(toNobody)).rejects.toThrow('InvalidReceiver');
  });

  test('ignores bytes behind the arguments, which stay readable in the transaction', async () => {
    await send(wallet, mint(1n));
    const reference: Hex = '0x00112233445566778899aabbccddeeff';
    const data = concatHex([transfer(friend, 1n), reference]);
    const hash = await wallet.sendTransaction({ to: TEST_TOKEN_ADDRESS, data });
    const { status, logs } = await wallet.waitForTransactionReceipt({ hash, checkReplacement: false });
    expect([status, logs.length]).toEqual(['success', 1]);
    expect((await wallet.getTransaction({ hash })).input).toBe(data);
  });

  test('lets a spender take what was approved and no more; an unlimited approval stays whole', async () => {
    await send(wallet, mint(10n));
    const approve = (value: bigint) => encodeFunctionData({ abi, functionName: 'approve', args: [friend, value] });
    const take = (value: bigint) =>
      encodeFunctionData({ abi, functionName: 'transferFrom', args: [holder, friend, value] });
    const approved = () =>
      wallet.readContract({ address: TEST_TOKEN_ADDRESS, abi, functionName: 'allowance', args: [holder, friend] });

    expect(await send(wallet, approve(3n))).toEqual([
      { eventName: 'Approval', args: { owner: holder, spender: friend, value: 3n } },
    ]);
    await send(friendsWallet, take(2n));
    expect(await approved()).toBe(1n);
    await expect(send(friendsWallet, take(2n))).rejects.toThrow();

    await send(wallet, approve(UNLIMITED));
    await send(friendsWallet, take(2n));
    expect(await approved()).toBe(UNLIMITED);
  });
});
