import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getContractAddress, type Hex, serializeErc6492Signature, stringToHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import signatureCheck from '../../src/identity/contracts/SignatureCheck.json' with { type: 'json' };
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  CONTRACTS,
  creationCode,
  newPasskey,
  openSigningChain,
  presentAs,
  rotation,
  type SigningChain,
  undeployed,
  WAYS,
} from './signingChain.ts';
import { isLive, newWallet, sql, submit, type Wallet } from './visitor.ts';

let chain: SigningChain;
let other: SigningChain;
let house: TestTollhouse;
let factory: Hex;
beforeAll(async () => {
  [chain, other] = await Promise.all([openSigningChain(31_337), openSigningChain(31_338)]);
  house = await startTollhouse({ chains: [chain.setting, other.setting] });
  factory = await chain.deploy('WalletFactory');
});
afterAll(async () => {
  await house.stop();
  await Promise.all([chain.stop(), other.stop()]);
});

const signs =
  (owner: Wallet) =>
  (message: string): Promise<Hex> =>
    owner.signMessage({ message });

async function walletsOf(token: string | undefined): Promise<unknown> {
  const answer = await house.ask(
    '{ viewer { user { wallets { address kind chainId } } } }',
    {},
    { token: token ?? '' },
  );
  return (answer.data as { viewer: { user: { wallets: unknown } } }).viewer.user.wallets;
}

/** Refused for good, with the nonce used up. */
async function expectRefused(attempt: Awaited<ReturnType<typeof presentAs>>): Promise<void> {
  expect(attempt).toMatchObject({ code: 'SIWE_SIGNATURE_INVALID', signedIn: null, answer: { status: 200 } });
  expect(await isLive(house, attempt.nonce)).toBe(false);
}

describe('a contract wallet', () => {
  it('signs in by its owner’s signature, and is an identity of its chain', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const first = await presentAs(house, address, signs(owner));
    expect([first.code, first.signedIn?.isNewUser]).toEqual(['OK', true]);
    expect(await walletsOf(first.signedIn?.accessToken)).toMatchObject([{ kind: 'CONTRACT', chainId: 31_337 }]);
    const again = await presentAs(house, address, signs(owner));
    expect(again.signedIn).toMatchObject({ isNewUser: false, viewer: first.signedIn?.viewer });
    const stored = await sql(house, 'select issuer, subject, chain_id from identities where address = $1', [
      address.toLowerCase(),
    ]);
    expect(stored).toEqual([{ issuer: 'eip155:31337', subject: address.toLowerCase(), chain_id: '31337' }]);
  });

  it('does not, by anybody else’s', async () => {
    const address = await chain.deploy('OwnedWallet', newWallet().address);
    await expectRefused(await presentAs(house, address, signs(newWallet())));
  });

  it('does not, by its owner’s signature of another text', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    await expectRefused(await presentAs(house, address, (message) => owner.signMessage({ message: `${message}!` })));
  });

  it('is not its owner, who signs in beside it as somebody else', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const wallet = await presentAs(house, address, signs(owner));
    const person = await presentAs(house, owner.address, signs(owner));
    expect([wallet.code, person.code]).toEqual(['OK', 'OK']);
    expect(person.signedIn?.viewer.user.id).not.toBe(wallet.signedIn?.viewer.user.id);
    expect(await walletsOf(person.signedIn?.accessToken)).toMatchObject([{ kind: 'EOA', chainId: null }]);
  });

  it.each([0, 15_000])('signs in with a passkey, in a long signature (%i bytes of padding)', async (padding) => {
    const passkey = newPasskey();
    const address = await chain.deploy('PasskeyWallet', passkey.x, passkey.y);
    const attempt = await presentAs(house, address, (message) => passkey.assert(message, padding));
    expect(attempt.code).toBe('OK');
    expect(attempt.signature.length / 2).toBeGreaterThan(padding + 300);
    await expectRefused(await presentAs(house, address, (message) => newPasskey().assert(message, padding)));
  });

  it.each(WAYS.slice(1))('that %s instead of an answer is refused', async (way) => {
    const address = await chain.deploy('OddWallet', WAYS.indexOf(way));
    await expectRefused(await presentAs(house, address, signs(newWallet())));
  });

  it('that takes every signature takes one of no bytes, too: that is its own affair', async () => {
    const address = await chain.deploy('OddWallet', WAYS.indexOf('SAYS_YES'));
    expect((await presentAs(house, address, () => '0x')).code).toBe('OK');
  });

  it('is another user’s at the same address of another chain', async () => {
    const [mine, yours] = [newWallet(), newWallet()];
    const [here, there] = await deployAtOneAddress(mine, yours);
    expect(here).toBe(there);
    const my = await presentAs(house, here, signs(mine));
    const your = await presentAs(house, here, signs(yours), 31_338);
    expect([my.code, your.code]).toEqual(['OK', 'OK']);
    expect(your.signedIn?.viewer.user.id).not.toBe(my.signedIn?.viewer.user.id);
    expect(await walletsOf(your.signedIn?.accessToken)).toMatchObject([{ kind: 'CONTRACT', chainId: 31_338 }]);
    await expectRefused(await presentAs(house, here, signs(yours)));
    await expectRefused(await presentAs(house, here, signs(mine), 31_338));
  });
});

/** Two wallets of two owners at one address, which follows from who deploys them first. */
function deployAtOneAddress(mine: Wallet, yours: Wallet): Promise<[Hex, Hex]> {
  const deployer = newWallet().address;
  return Promise.all([
    chain.sendAs(deployer, { data: creationCode('OwnedWallet', mine.address) }),
    other.sendAs(deployer, { data: creationCode('OwnedWallet', yours.address) }),
  ]);
}

describe('a contract wallet that is still to be deployed', () => {
  it('signs in by a wrapped signature, and is not deployed by that', async () => {
    const owner = newWallet();
    const wallet = undeployed(factory, creationCode('OwnedWallet', owner.address));
    const wrapped = async (message: string): Promise<Hex> => wallet.wrap(await owner.signMessage({ message }));
    const first = await presentAs(house, wallet.address, wrapped);
    expect([first.code, first.signedIn?.isNewUser]).toEqual(['OK', true]);
    expect(await walletsOf(first.signedIn?.accessToken)).toMatchObject([{ kind: 'CONTRACT', chainId: 31_337 }]);
    expect(await chain.public.getCode({ address: wallet.address })).toBeUndefined();
    await expectRefused(await presentAs(house, wallet.address, signs(owner)));

    await chain.sendAs(owner.address, { to: factory, data: wallet.call });
    for (const sign of [signs(owner), wrapped]) {
      const again = await presentAs(house, wallet.address, sign);
      expect(again.signedIn).toMatchObject({ isNewUser: false, viewer: first.signedIn?.viewer });
    }
  });

  it('with a passkey signs in by a long signature', async () => {
    const passkey = newPasskey();
    const wallet = undeployed(factory, creationCode('PasskeyWallet', passkey.x, passkey.y));
    const attempt = await presentAs(house, wallet.address, (message) => wallet.wrap(passkey.assert(message, 9_000)));
    expect(attempt.code).toBe('OK');
  });

  it('does not sign in by a stranger’s signature', async () => {
    const wallet = undeployed(factory, creationCode('OwnedWallet', newWallet().address));
    const forged = async (message: string): Promise<Hex> => wallet.wrap(await newWallet().signMessage({ message }));
    await expectRefused(await presentAs(house, wallet.address, forged));
  });

  it.each(['pretend', 'burn'] as const)('does not sign in by a factory that does not deploy it (%s)', async (way) => {
    const owner = newWallet();
    const wallet = undeployed(factory, creationCode('OwnedWallet', owner.address), way);
    await expectRefused(
      await presentAs(house, wallet.address, async (message) => wallet.wrap(await owner.signMessage({ message }))),
    );
  });

  it('does not sign in by what another factory deploys elsewhere', async () => {
    const owner = newWallet();
    const code = creationCode('OwnedWallet', owner.address);
    const elsewhere = undeployed(await chain.deploy('WalletFactory'), code);
    const wallet = undeployed(factory, code);
    await expectRefused(
      await presentAs(house, wallet.address, async (message) => elsewhere.wrap(await owner.signMessage({ message }))),
    );
  });

  it('is nobody who has only a key: no factory makes an account say yes that is not a contract', async () => {
    const victim = newWallet();
    const evil = undeployed(factory, creationCode('OddWallet', WAYS.indexOf('SAYS_YES')));
    await expectRefused(await presentAs(house, victim.address, () => evil.wrap('0x')));
  });

  it.each<[string, (wrapped: Hex) => Hex]>([
    ['torn', (wrapped) => `0x${wrapped.slice(200)}`],
    ['nothing but its mark', (wrapped) => `0x${wrapped.slice(-64)}`],
    ['pointing beyond its end', (wrapped) => `0x${'ff'.repeat(96)}${wrapped.slice(-64)}`],
  ])('does not sign in by a wrapping that is %s', async (_name, tear) => {
    const owner = newWallet();
    const wallet = undeployed(factory, creationCode('OwnedWallet', owner.address));
    await expectRefused(
      await presentAs(house, wallet.address, async (message) =>
        tear(wallet.wrap(await owner.signMessage({ message }))),
      ),
    );
  });
});

describe('factories', () => {
  it('are those that are allowed, when some are named; a wallet that is there needs none', async () => {
    const strict = await startTollhouse({
      chains: [chain.setting],
      settings: { ERC6492_FACTORIES: `0x${'11'.repeat(20)}, ${factory.toUpperCase().replace('0X', '0x')}` },
    });
    try {
      const owner = newWallet();
      const code = creationCode('OwnedWallet', owner.address);
      const stranger = await chain.deploy('WalletFactory');
      const [allowed, refused] = [undeployed(factory, code), undeployed(stranger, code)];
      const wrappedBy =
        (wallet: typeof allowed) =>
        async (message: string): Promise<Hex> =>
          wallet.wrap(await owner.signMessage({ message }));
      expect((await presentAs(strict, allowed.address, wrappedBy(allowed))).code).toBe('OK');
      const attempt = await presentAs(strict, refused.address, wrappedBy(refused));
      expect(attempt.code).toBe('SIWE_SIGNATURE_INVALID');
      await chain.sendAs(owner.address, { to: stranger, data: refused.call });
      expect((await presentAs(strict, refused.address, wrappedBy(refused))).code).toBe('OK');
    } finally {
      await strict.stop();
    }
  });

  it('are not called before a wallet that is there', async () => {
    // Whom the check's own calls would be from: here it owns the wallet, and may hand it over.
    const check = getContractAddress({ from: stringToHex('tollhouse checks sig'), nonce: 0n });
    const thief = newWallet();
    const wallet = await chain.deploy('OwnedWallet', check);
    await expectRefused(
      await presentAs(house, wallet, async (message) =>
        serializeErc6492Signature({
          address: wallet,
          data: rotation(thief.address),
          signature: await thief.signMessage({ message }),
        }),
      ),
    );
  });
});

describe('an account that has delegated to code (EIP-7702)', () => {
  const YES = WAYS.indexOf('SAYS_YES');

  it('signs in by its own key, as the same user on every chain', async () => {
    const account = newWallet();
    const before = await presentAs(house, account.address, signs(account));
    await chain.delegate(account, await chain.deploy('OddWallet', YES));
    expect(await chain.public.getCode({ address: account.address })).toMatch(/^0xef0100/);
    for (const chainId of [31_337, 31_338]) {
      const after = await presentAs(house, account.address, signs(account), chainId);
      expect(after.signedIn).toMatchObject({ isNewUser: false, viewer: before.signedIn?.viewer });
    }
  });

  it('does not, by what its delegate says', async () => {
    const account = newWallet();
    await chain.delegate(account, await chain.deploy('OddWallet', YES));
    await expectRefused(await presentAs(house, account.address, signs(newWallet())));
    await expectRefused(await presentAs(house, account.address, () => '0x'));
    await expectRefused(await presentAs(house, account.address, () => newPasskey().assert('anything', 500)));
    const evil = undeployed(factory, creationCode('OddWallet', YES));
    await expectRefused(await presentAs(house, account.address, () => evil.wrap('0x')));
  });

  it('does not, by a signature of its delegate’s owner', async () => {
    const [account, owner] = [newWallet(), newWallet()];
    await chain.delegate(account, await chain.deploy('OwnedWallet', owner.address));
    await expectRefused(await presentAs(house, account.address, signs(owner)));
  });

  it('is known as such when its own signature comes wrapped, and is one identity all the same', async () => {
    const account = newWallet();
    await chain.delegate(account, await chain.deploy('OddWallet', YES));
    const { wrap } = undeployed(factory, '0x');
    const wrapped = async (message: string): Promise<Hex> => wrap(await account.signMessage({ message }));
    const first = await presentAs(house, account.address, wrapped);
    expect(await walletsOf(first.signedIn?.accessToken)).toMatchObject([{ kind: 'EOA_7702', chainId: null }]);
    const again = await presentAs(house, account.address, signs(account), 31_338);
    expect(again.signedIn).toMatchObject({ isNewUser: false, viewer: first.signedIn?.viewer });
  });
});

describe('an account of its own key', () => {
  it('is refused by a wrong signature, on a chain that answers, and the nonce with it', async () => {
    const account = newWallet();
    const attempt = await presentAs(house, account.address, signs(newWallet()));
    await expectRefused(attempt);
    const { message } = attempt;
    const late = await submit(house, { message, signature: await account.signMessage({ message }) });
    expect(late.code).toBe('SIWE_NONCE_INVALID');
  });
});

describe('the contracts', () => {
  it.each([
    ['src/identity/contracts', signatureCheck],
    ...Object.values(CONTRACTS).map((artifact) => ['test/identity/contracts', artifact] as const),
  ] as const)('were compiled from the source as it stands (%#)', async (folder, { source, sourceSha256 }) => {
    const text = await readFile(new URL(`../../${folder}/${source}`, import.meta.url));
    expect(createHash('sha256').update(text).digest('hex')).toBe(sourceSha256);
  });
});
