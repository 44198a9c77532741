import { encodeFunctionData, type Hex, parseAbi, zeroAddress } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { ChainReader } from '../../src/ports.ts';
import { callerOf, deployLookAlike } from '../payments/contracts.ts';
import { newPayer, type Payer, sendFrom, transferCall } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { answer, type Door, openDoor } from './door.ts';

const TUSD = TEST_TOKEN_ADDRESS.toLowerCase() as Hex;
const TOKENS = new Set([TUSD]);
const PAYEE: Hex = `0x${'aa'.repeat(20)}`;

let chain: DevelopmentChain;
let door: Door;
let reader: ChainReader;
let payer: Payer;

beforeAll(async () => {
  chain = await openDevelopmentChain();
  door = await openDoor(chain.rpcUrl);
  reader = createNodeReader({ chainId: 31_337, rpcUrl: `${door.url}/v3/secret-key` });
  payer = await newPayer({ chain });
});
afterEach(() => {
  door.intercept = () => false;
});
afterAll(async () => {
  await door.close();
  await chain.stop();
});

const readHead = async () => reader.block(await reader.headNumber(), TOKENS);

describe('the chain', () => {
  it('is told by its id, its genesis block, its head and its finalized block', async () => {
    const head = await chain.public.getBlock();
    const genesis = await chain.public.getBlock({ blockNumber: 0n });
    expect(await reader.histories()).toEqual([{ chainId: 31_337, genesisHash: genesis.hash }]);
    expect(await reader.genesisHash()).toBe(genesis.hash);
    expect(await reader.headNumber()).toBe(head.number);
    expect(await reader.finalizedNumber()).toBe(0n);
    await chain.node.mine({ blocks: 70 });
    expect(await reader.finalizedNumber()).toBe(head.number + 6n);
    expect(await reader.hashOf(head.number)).toBe(head.hash);
    expect(await reader.hashOf(0n)).toBe(genesis.hash);
  });

  it('has nothing beyond its head', async () => {
    const beyond = (await reader.headNumber()) + 1n;
    expect(await reader.hashOf(beyond)).toBeNull();
    expect(await reader.block(beyond, TOKENS)).toBeNull();
  });

  it('says how many decimals a token has, and nothing where there is none', async () => {
    expect(await reader.decimalsOf(TUSD)).toBe(6);
    expect(await reader.decimalsOf(PAYEE)).toBeNull();
  });
});

describe('a block', () => {
  it('without transactions is read without its receipts', async () => {
    await chain.node.mine({ blocks: 1 });
    const asked: string[] = [];
    door.intercept = ({ method }) => {
      asked.push(method);
      return false;
    };
    const { number, hash, parentHash, timestamp } = await chain.public.getBlock();
    expect(await reader.block(number, TOKENS)).toEqual({
      block: { number, hash, parentHash, timestamp },
      transfers: [],
    });
    expect(asked).toEqual(['eth_getBlockByNumber']);
  });

  it('shows the native coin by its transaction, with the calldata', async () => {
    const { hash } = await payer.send({ to: PAYEE, value: 2n ** 53n + 1n, data: '0xc0ffee' });
    expect((await readHead())?.transfers).toEqual([
      {
        transactionHash: hash,
        ordinal: -1,
        token: null,
        sender: payer.address,
        recipient: PAYEE,
        units: 9_007_199_254_740_993n,
        input: new Uint8Array([0xc0, 0xff, 0xee]),
      },
    ]);
  });

  it('shows a token’s transfer by its log, from whom the log says, with all bytes of the calldata', async () => {
    const { hash } = await payer.transfer(PAYEE, 7n, { suffix: '0xc0ffee' });
    const [transfer] = (await readHead())?.transfers ?? [];
    expect(transfer).toMatchObject({ transactionHash: hash, ordinal: 0, token: TUSD, sender: payer.address });
    expect(transfer).toMatchObject({ recipient: PAYEE, units: 7n });
    expect(Buffer.from(transfer?.input ?? []).toString('hex')).toBe(`${transferCall(PAYEE, 7n).slice(2)}c0ffee`);
  });

  it('counts a log’s place in its own receipt, past logs of contracts that are not asked for', async () => {
    const other = await deployLookAlike({ chain }, payer);
    const mint = encodeFunctionData({
      abi: parseAbi(['function mint(address, uint256)']),
      args: [PAYEE, 5n],
    });
    await chain.node.setAutomine(false);
    // Two transactions of one block: the second one's logs count from the first one's within the block.
    const send = (data: Hex, to?: Hex) => sendFrom(chain, payer.account, { ...(to && { to }), data }, false);
    const first = await send(callerOf([other, TUSD, other, TUSD].map((to) => ({ to: to as Hex, data: mint }))));
    const second = await send(transferCall(PAYEE, 1n), TUSD);
    await chain.node.mine({ blocks: 1 });
    await chain.node.setAutomine(true);
    const transfers = (await readHead())?.transfers ?? [];
    expect(transfers.map(({ transactionHash, ordinal, units }) => ({ transactionHash, ordinal, units }))).toEqual([
      { transactionHash: first.hash, ordinal: 1, units: 5n },
      { transactionHash: first.hash, ordinal: 3, units: 5n },
      { transactionHash: second.hash, ordinal: 0, units: 1n },
    ]);
    expect(transfers[0]).toMatchObject({ sender: zeroAddress, recipient: PAYEE });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a transfer of a token that was reverted', () => payer.transfer(PAYEE, 10n ** 40n)],
    ['native coin that was sent back by a revert', () => payer.send({ to: TUSD, value: 1n })],
    ['native coin of no value', () => payer.send({ to: PAYEE, value: 0n, data: '0xc0ffee' })],
    ['a token’s transfer of nothing', () => payer.transfer(PAYEE, 0n)],
    ['the value that a new contract is given', () => payer.send({ value: 1n, data: '0x00' })],
  ])('does not show %s', async (_, send) => {
    await send();
    expect((await chain.public.getBlock()).transactions).toHaveLength(1);
    expect((await readHead())?.transfers).toEqual([]);
  });

  it('shows no token that was not asked for', async () => {
    await payer.transfer(PAYEE, 1n);
    expect((await reader.block(await reader.headNumber(), new Set()))?.transfers).toEqual([]);
  });

  it('that is replaced while it is read is none', async () => {
    await payer.transfer(PAYEE, 1n);
    const number = await reader.headNumber();
    door.intercept = async ({ method }) => {
      if (method === 'eth_getBlockReceipts')
        await chain.node.request({ method: 'anvil_reorg', params: [1, []] } as never);
      return false;
    };
    expect(await reader.block(number, TOKENS)).toBeNull();
    door.intercept = () => false;
    expect((await reader.block(number, TOKENS))?.transfers).toEqual([]);
  });

  it.each<[string, (receipts: Record<string, unknown>[]) => unknown]>([
    ['none', () => null],
    ['too few', () => []],
    ['some of another block', (receipts) => receipts.map((one) => ({ ...one, blockHash: `0x${'11'.repeat(32)}` }))],
  ])('of whose receipts the node has %s is none', async (_, change) => {
    await payer.transfer(PAYEE, 1n);
    const { hash } = await chain.public.getBlock();
    const receipts = await chain.public.request({ method: 'eth_getBlockReceipts', params: [hash] } as never);
    door.intercept = (call, response) =>
      call.method === 'eth_getBlockReceipts' && answer(response, call, change(receipts as never));
    expect(await readHead()).toBeNull();
  });
});

describe('a node that fails', () => {
  const sentence = /^The node of chain 31337 failed at eth_blockNumber: /;

  it.each<[string, Door['intercept']]>([
    [
      'answers with an error',
      (call, response) => {
        const error = { code: -32_000, message: `no, ${door.url}` };
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }));
        return true;
      },
    ],
    [
      'answers 500',
      (_, response) => {
        response.writeHead(500).end('oops');
        return true;
      },
    ],
    [
      'answers 429 and asks for an hour',
      (_, response) => {
        response.writeHead(429, { 'retry-after': '3600' }).end();
        return true;
      },
    ],
    [
      'answers something else',
      (_, response) => {
        response.end('<html>');
        return true;
      },
    ],
    [
      'hangs up',
      (_, response) => {
        response.destroy();
        return true;
      },
    ],
  ])('because it %s is told of at once, without its address', async (_, intercept) => {
    let calls = 0;
    door.intercept = (call, response) => {
      calls += 1;
      return intercept(call, response);
    };
    const error = await reader.headNumber().catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).message)).toMatch(sentence);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/secret-key|127\.0\.0\.1/);
    expect(calls).toBe(1);
    door.intercept = () => false;
    expect(await reader.headNumber()).toBeGreaterThan(0n);
  });

  it('because nobody is there is told of too', async () => {
    const gone = await openDoor(chain.rpcUrl);
    await gone.close();
    await expect(createNodeReader({ chainId: 31_337, rpcUrl: gone.url }).headNumber()).rejects.toThrow(sentence);
  });

  it.each<[string, Door['intercept']]>([
    ['says nothing', () => true],
    [
      'stops in the middle of its answer',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{');
        return true;
      },
    ],
  ])('because it %s is given up when the watcher stops, and not asked again', async (_, intercept) => {
    const stop = new AbortController();
    const stoppable = createNodeReader({ chainId: 31_337, rpcUrl: door.url }, stop.signal);
    const asked = new Promise<void>((resolve) => {
      door.intercept = async (call, response) => {
        setTimeout(resolve, 20);
        return intercept(call, response);
      };
    });
    const failed = expect(stoppable.headNumber()).rejects.toThrow(sentence);
    await asked;
    stop.abort();
    await failed;
    door.intercept = () => {
      throw new Error('It was asked again.');
    };
    await expect(stoppable.headNumber()).rejects.toThrow(sentence);
  });
});
