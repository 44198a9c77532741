import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { openTollhouse } from '../../src/tollhouse.ts';
import { signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const everybodys = mnemonicToAccount('test test test test test test test test test test test junk', {
  addressIndex: 7,
});
const PRODUCTION = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  PUBLIC_URL: 'https://pay.example',
  SIGN_IN_ORIGINS: 'https://app.example',
  SIGN_IN_CHAIN_IDS: '1',
  DATABASE_URL: 'postgresql://given-by-the-test',
  TOKEN_KEYS: JSON.stringify([generateTokenKey()]),
  CHAINS: JSON.stringify([
    {
      chainId: 1,
      name: 'Ethereum',
      rpcUrl: 'http://127.0.0.1:1',
      publicRpcUrl: 'https://rpc.example',
      assets: [{ symbol: 'ETH', name: 'Ether', decimals: 18 }],
    },
  ]),
  TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
};

describe('a wallet whose key everybody knows', () => {
  let production: TestTollhouse;
  beforeAll(async () => {
    production = await startTollhouse({ settings: PRODUCTION });
  });
  afterAll(() => production.stop());

  it('signs in to a development checkout', async () => {
    const development = await startTollhouse();
    expect((await signIn(development, everybodys as never)).accessToken).toBeTruthy();
    await development.stop();
  });

  it('is nobody in production, where it could keep the gateway from ever starting again', async () => {
    await expect(signIn(production, everybodys as never)).rejects.toThrow('WALLET_KEY_PUBLIC');
    expect((await signIn(production)).accessToken).toBeTruthy();
  });

  it('keeps production from starting where it became a user all the same', async () => {
    const development = await startTollhouse();
    await signIn(
      development,
      mnemonicToAccount('test test test test test test test test test test test junk') as never,
    );
    const environment = { ...production.resources.environment, PORT: 0 };
    const start = openTollhouse(environment, development.supplies, development.resources.log);
    await expect(start).rejects.toThrow('demo wallet');
    await development.stop();
  });
});
