import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EnvironmentError, readEnvironment, VARIABLES } from '../src/environment.ts';

const CHAIN = {
  chainId: 8453,
  name: 'Base',
  rpcUrl: 'https://rpc.example/key-of-the-operator',
  publicRpcUrl: 'https://rpc.example',
  assets: [{ symbol: 'ETH', name: 'Ether', decimals: 18 }],
};

const KEY = {
  kid: 'one',
  ...(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as { x: string; d: string }),
};
const OTHER_KEY = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'other' };

const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://tollhouse_gateway:password@db.example/tollhouse',
  PUBLIC_URL: 'https://pay.example',
  SIGN_IN_ORIGINS: 'https://app.example, http://localhost:5173',
  TOKEN_KEYS: JSON.stringify([KEY]),
  CHAINS: JSON.stringify([CHAIN]),
};

/** Each fault of an environment, by the variable that has it; null when it can be used. */
function faultsOf(source: Record<string, string | undefined>): string[] | null {
  try {
    readEnvironment(source);
    return null;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    for (const fault of error.faults) expect(error.message).toContain(fault);
    return error.faults.map((fault) => fault.split(/[.:]/, 1).join('')).sort();
  }
}

describe('the environment', () => {
  it('needs nothing outside production', () => {
    expect(readEnvironment({})).toMatchObject({ NODE_ENV: 'development', production: false, PORT: 4000 });
  });

  it('takes an empty value for an unset one, and leaves alone what is not ours', () => {
    expect(readEnvironment({ PORT: '', SIGN_IN_CHAIN_IDS: '', PATH: '/bin' })).toEqual(readEnvironment({}));
  });

  it('reads what is set', () => {
    const environment = readEnvironment({
      ...PRODUCTION,
      PORT: '0',
      SIGN_IN_CHAIN_IDS: '1,8453',
      ERC6492_FACTORIES: '0x4e59b44847b379578588920cA78FbF26c0B4956C, 0x0000000000000000000000000000000000000001',
      TRUSTED_PROXIES: '2',
    });
    expect(environment).toMatchObject({
      production: true,
      PORT: 0,
      SIGN_IN_CHAIN_IDS: [1, 8453],
      ERC6492_FACTORIES: ['0x4e59b44847b379578588920ca78fbf26c0b4956c', '0x0000000000000000000000000000000000000001'],
      SIGN_IN_ORIGINS: ['https://app.example', 'http://localhost:5173'],
      TRUSTED_PROXIES: 2,
      TOKEN_KEYS: [{ kid: 'one' }],
      CHAINS: [{ ...CHAIN, finality: { kind: 'CONFIRMATIONS', confirmations: 12 }, testnet: false }],
    });
  });

  it('tells everything that production lacks at once', () => {
    expect(faultsOf({ NODE_ENV: 'production' })).toEqual([
      'CHAINS',
      'DATABASE_URL',
      'PUBLIC_URL',
      'SIGN_IN_ORIGINS',
      'TOKEN_KEYS',
    ]);
  });

  it.each(['DATABASE_URL', 'PUBLIC_URL', 'SIGN_IN_ORIGINS', 'TOKEN_KEYS', 'CHAINS'])(
    'does without %s in development and not in production',
    (name) => {
      expect(faultsOf({ ...PRODUCTION, [name]: undefined })).toEqual([name]);
      expect(faultsOf({ ...PRODUCTION, [name]: '' })).toEqual([name]);
      expect(faultsOf({ ...PRODUCTION, NODE_ENV: 'development', [name]: undefined })).toBeNull();
    },
  );

  it('tells what is wrong together with what is missing', () => {
    const wrong = { NODE_ENV: 'production', PORT: 'http', DATABASE_URL: 'mysql://db.example', CHAINS: '[' };
    expect(faultsOf(wrong)).toEqual(['CHAINS', 'DATABASE_URL', 'PORT', 'PUBLIC_URL', 'SIGN_IN_ORIGINS', 'TOKEN_KEYS']);
  });

  it('lifts limits for load tests, and never in production', () => {
    const lifted = { TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '1' };
    expect(readEnvironment(lifted).TOLLHOUSE_UNSAFE_NO_RATE_LIMITS).toBe(true);
    expect(faultsOf({ ...PRODUCTION, ...lifted })).toEqual(['TOLLHOUSE_UNSAFE_NO_RATE_LIMITS']);
    expect(faultsOf({ ...PRODUCTION, TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0' })).toBeNull();
  });

  it('takes several keys, and the largest chain id that GraphQL can show', () => {
    const chains = JSON.stringify([{ ...CHAIN, chainId: 2_147_483_647 }]);
    const environment = readEnvironment({ TOKEN_KEYS: JSON.stringify([KEY, OTHER_KEY]), CHAINS: chains });
    expect(environment).toMatchObject({ TOKEN_KEYS: [KEY, OTHER_KEY], CHAINS: [{ chainId: 2_147_483_647 }] });
  });

  it('lets operators into the database that it uses, and into no other', () => {
    const operator = { OPERATOR_DATABASE_URL: 'postgres://operator@db.example/tollhouse' };
    expect(faultsOf(operator)).toEqual(['DATABASE_URL']);
    expect(faultsOf({ ...operator, DATABASE_URL: 'postgres://gateway@db.example/tollhouse' })).toBeNull();
  });

  it('does not migrate a database that it does not use', () => {
    const owner = { DATABASE_OWNER_URL: 'postgres://owner@db.example/tollhouse' };
    expect(faultsOf(owner)).toEqual(['DATABASE_URL']);
    expect(faultsOf({ ...owner, DATABASE_URL: 'postgres://gateway@db.example/tollhouse' })).toBeNull();
  });

  it.each([
    ['NODE_ENV', 'staging'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PUBLIC_URL', 'pay.example'],
    ['LOG_LEVEL', 'loud'],
    ['DATABASE_POOL_MAX', '0'],
    ['SIGN_IN_STATEMENT', 'Grüß Gott'],
    ['SIGN_IN_ORIGINS', 'nonsense'],
    ['SIGN_IN_ORIGINS', 'https://app.example/'],
    ['SIGN_IN_ORIGINS', 'https://app.example/path'],
    ['SIGN_IN_STATEMENT', 'two\nlines'],
    ['SIGN_IN_CHAIN_IDS', '1,mainnet'],
    ['SIGN_IN_CHAIN_IDS', '0'],
    ['SIGN_IN_CHAIN_IDS', '2147483648'],
    ['ERC6492_FACTORIES', '0x4e59b44847b379578588920ca78fbf26c0b4956c,0x12'],
    ['SIGN_UP', 'closed'],
    ['TOKEN_KEYS', 'secret'],
    ['TOKEN_KEYS', '[]'],
    ['TOKEN_KEYS', '[{"kty":"RSA","kid":"one"}]'],
    ['TOKEN_KEYS', JSON.stringify([KEY, { ...OTHER_KEY, kid: KEY.kid }])],
    ['TOKEN_KEYS', JSON.stringify([{ ...KEY, x: OTHER_KEY.x }])],
    ['TOKEN_KEYS', JSON.stringify([{ ...KEY, d: KEY.d.slice(0, -4) }])],
    ['TOKEN_KEYS', JSON.stringify([{ ...KEY, d: 'private' }])],
    ['ACCESS_TOKEN_SECONDS', '601'],
    ['ACCESS_TOKEN_SECONDS', '29'],
    ['SESSION_DAYS', '31'],
    ['CHAINS', '[]'],
    ['CHAINS', JSON.stringify([{ ...CHAIN, assets: [] }])],
    ['CHAINS', JSON.stringify([{ ...CHAIN, chainId: 2_147_483_648 }])],
    ['CHAINS', JSON.stringify([{ ...CHAIN, rpcUrl: 'rpc.example' }])],
    ['LIMIT_DOCUMENT_BYTES', '0'],
    ['LIMIT_SESSIONS_PER_USER', '0'],
    ['LIMIT_EMAIL_TRIES_PER_CLIENT_PER_HOUR', '-1'],
    ['LOCKOUT_AFTER_FAILURES', '0'],
    ['LOCKOUT_CLIENT_FACTOR', '0'],
    ['LOCKOUT_SECONDS', '4000'],
    ['LOCKOUT_MAX_SECONDS', '0'],
    ['DNS_SERVERS', 'dns.example'],
    ['DNS_SERVERS', '192.0.2.1,'],
    ['LIMIT_ORDERS_PER_ORGANIZATION_PER_MINUTE', '0'],
    ['TRUSTED_PROXIES', '-1'],
    ['TOLLHOUSE_UNSAFE_NO_RATE_LIMITS', 'yes'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toContain(name);
  });

  it('wants both of thirdweb’s identifiers or neither, and to send them encrypted in production', () => {
    expect(faultsOf({ THIRDWEB_CLIENT_ID: 'id' })).toEqual(['THIRDWEB_SECRET_KEY']);
    expect(faultsOf({ THIRDWEB_SECRET_KEY: 'key' })).toEqual(['THIRDWEB_CLIENT_ID']);
    expect(readEnvironment({ THIRDWEB_CLIENT_ID: 'id', THIRDWEB_SECRET_KEY: 'key' }).THIRDWEB_SECRET_KEY).toBe('key');
    const url = { THIRDWEB_API_URL: 'http://thirdweb.example' };
    expect(faultsOf({ NODE_ENV: 'production', ...url })).toContain('THIRDWEB_API_URL');
    expect(readEnvironment(url).THIRDWEB_API_URL).toBe('http://thirdweb.example');
  });

  it('repeats no secret when it tells what is wrong', () => {
    const secrets = {
      DATABASE_URL: 'mysql://gateway:hunter2@db.example',
      DATABASE_OWNER_URL: 'hunter2',
      OPERATOR_DATABASE_URL: 'hunter2',
      TOKEN_KEYS: JSON.stringify([{ ...KEY, x: 'hunter2', d: 'hunter2' }]),
      CHAINS: JSON.stringify([{ ...CHAIN, rpcUrl: 'hunter2' }]),
    };
    expect(faultsOf(secrets)).toEqual(expect.arrayContaining(Object.keys(secrets)));
    expect(() => readEnvironment(secrets)).not.toThrow(/hunter2/);
  });
});

describe('.env.example', () => {
  const lines = readFileSync(join(import.meta.dirname, '../.env.example'), 'utf8').split('\n');
  const settings = lines.flatMap((line, index) => {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, value: value ?? '', above: lines[index - 1] ?? '' }];
  });

  it('has every variable, in order, once', () => {
    expect(settings.map(({ name }) => name)).toEqual(VARIABLES);
  });

  it.each(settings)('says what $name is for', ({ above }) => {
    // One comment may stand above two variables that belong together.
    expect(above).toMatch(/^# .*\w|^[A-Z][A-Z0-9_]*=/);
  });

  it.each(settings)('gives $name its default', ({ name, value }) => {
    const key = name as keyof ReturnType<typeof readEnvironment>;
    expect(readEnvironment({ [name]: value })[key]).toEqual(readEnvironment({})[key]);
    expect(value === '').toBe(readEnvironment({})[key] === undefined);
  });

  it('says of each variable that production cannot do without that it is required there', () => {
    const text = lines.join('\n');
    for (const name of faultsOf({ NODE_ENV: 'production' }) ?? []) {
      const [, comment = ''] = new RegExp(`((?:# .*\\n)+)(?:[A-Z][A-Z0-9_]*=.*\\n)*?${name}=`).exec(text) ?? [];
      expect([name, /required in production/i.test(comment)]).toEqual([name, true]);
    }
  });
});
