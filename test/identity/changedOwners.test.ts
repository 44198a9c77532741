import type { Hex } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { creationCode, openSigningChain, presentAs, rotation, type SigningChain, undeployed } from './signingChain.ts';
import { openUnsteadyNode, type UnsteadyNode } from './unsteadyNode.ts';
import { codeOf, newWallet, refresh, rowId, type SignedIn, sessionIdOf, sql, type Wallet } from './visitor.ts';

let chain: SigningChain;
let node: UnsteadyNode;
let house: TestTollhouse;
beforeAll(async () => {
  chain = await openSigningChain();
  node = await openUnsteadyNode(chain.setting.rpcUrl);
  house = await startTollhouse({ chains: [{ ...chain.setting, rpcUrl: node.url }] });
});
beforeEach(() => {
  node.mood = 'well';
});
afterAll(async () => {
  await house.stop();
  await node.stop();
  await chain.stop();
});

interface Signed {
  readonly owner: Wallet;
  readonly address: Hex;
  readonly session: SignedIn;
}

async function enter(owner: Wallet, address: Hex, wrap = (signature: Hex): Hex => signature): Promise<Signed> {
  const sign = async (message: string): Promise<Hex> => wrap(await owner.signMessage({ message }));
  const { code, signedIn } = await presentAs(house, address, sign);
  if (!signedIn) throw new Error(`Signing in failed: ${code}`);
  return { owner, address, session: signedIn };
}

/** Somebody who has signed in with a contract wallet. */
async function enterOwned(): Promise<Signed> {
  const owner = newWallet();
  return enter(owner, await chain.deploy('OwnedWallet', owner.address));
}

async function handOver({ owner, address }: Pick<Signed, 'owner' | 'address'>): Promise<Wallet> {
  const next = newWallet();
  await chain.sendAs(owner.address, { to: address, data: rotation(next.address) });
  return next;
}

async function viewerCode({ accessToken }: SignedIn): Promise<string> {
  return codeOf(await house.ask('{ viewer { user { id } } }', {}, { token: accessToken }));
}

async function endOf(session: SignedIn): Promise<unknown> {
  const [row] = await sql(house, 'select generation, end_reason from sessions where id = $1', [sessionIdOf(session)]);
  return row;
}

async function renew({ refreshToken }: SignedIn): Promise<SignedIn> {
  const { code, signedIn } = await refresh(house, refreshToken);
  if (!signedIn) throw new Error(`Refreshing failed: ${code}`);
  return signedIn;
}

describe('the session of a contract wallet', () => {
  it('goes on while the wallet takes its signature', async () => {
    const { session } = await enterOwned();
    const next = await renew(await renew(session));
    expect(await viewerCode(next)).toBe('OK');
    expect(await endOf(session)).toEqual({ generation: 2, end_reason: null });
  });

  it('ends at its next refresh once the owner was changed, and the new owner begins another', async () => {
    const { owner, address, session } = await enterOwned();
    const heir = await handOver({ owner, address });
    expect(await viewerCode(session)).toBe('OK');
    const { code, answer, signedIn } = await refresh(house, session.refreshToken);
    expect([code, signedIn]).toEqual(['SIGNER_NO_LONGER_VALID', null]);
    expect(answer.errors[0]?.extensions.retryable).toBe(false);
    expect(await endOf(session)).toEqual({ generation: 0, end_reason: 'signer no longer valid' });
    expect(await viewerCode(session)).toBe('UNAUTHENTICATED');
    expect((await refresh(house, session.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');

    const inherited = await enter(heir, address);
    expect(inherited.session.viewer).toEqual(session.viewer);
    expect(await viewerCode(await renew(inherited.session))).toBe('OK');
  });

  it('ends by one that was spent a moment ago, too: its answer is as good as a new one', async () => {
    const { owner, address, session } = await enterOwned();
    const next = await renew(session);
    expect((await renew(session)).refreshToken).toBe(next.refreshToken);
    await handOver({ owner, address });
    expect((await refresh(house, session.refreshToken)).code).toBe('SIGNER_NO_LONGER_VALID');
    expect((await refresh(house, next.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
  });

  it('ends by one that was spent long ago without the wallet’s being asked', async () => {
    const { session } = await enterOwned();
    await renew(session);
    await sql(house, `update sessions set rotations = array[now() - interval '11 seconds'] where id = $1`, [
      sessionIdOf(session),
    ]);
    node.mood = 'away';
    expect((await refresh(house, session.refreshToken)).code).toBe('REFRESH_TOKEN_REUSED');
  });

  it('ends alone: the owner’s own account stays signed in', async () => {
    const { owner, address, session } = await enterOwned();
    const person = await enter(owner, owner.address);
    await handOver({ owner, address });
    expect((await refresh(house, session.refreshToken)).code).toBe('SIGNER_NO_LONGER_VALID');
    expect(await viewerCode(await renew(person.session))).toBe('OK');
  });

  it('waits while the node cannot be asked: nothing is spent, and nothing ends', async () => {
    const { session } = await enterOwned();
    node.mood = 'away';
    const { code, answer } = await refresh(house, session.refreshToken);
    expect([code, answer.status]).toEqual(['SIGNATURE_CHECK_UNAVAILABLE', 503]);
    expect(await endOf(session)).toEqual({ generation: 0, end_reason: null });
    expect(await viewerCode(session)).toBe('OK');
    node.mood = 'well';
    expect((await renew(session)).viewer).toEqual(session.viewer);
  });

  it('of an account of its own key asks no node at all', async () => {
    const owner = newWallet();
    const { session } = await enter(owner, owner.address);
    node.mood = 'away';
    expect(await viewerCode(await renew(session))).toBe('OK');
  });

  it('is not asked about by who holds no token of it', async () => {
    const { session } = await enterOwned();
    const asked = (): number => node.asked.filter((method) => method === 'eth_call').length;
    const before = asked();
    const forged = `${session.refreshToken.slice(0, -5)}AAAAA`;
    expect((await refresh(house, forged)).code).toBe('REFRESH_TOKEN_INVALID');
    expect(asked()).toBe(before);
    await renew(session);
    expect(asked()).toBe(before + 1);
  });

  it('yields one successor to ten refreshes at one moment', async () => {
    const { session } = await enterOwned();
    const attempts = await Promise.all(Array.from({ length: 10 }, () => refresh(house, session.refreshToken)));
    expect(new Set(attempts.map(({ code }) => code))).toEqual(new Set(['OK']));
    expect(new Set(attempts.map(({ signedIn }) => signedIn?.refreshToken)).size).toBe(1);
    expect(await endOf(session)).toEqual({ generation: 1, end_reason: null });
  });

  it('goes on before and after the wallet is deployed', async () => {
    const owner = newWallet();
    const factory = await chain.deploy('WalletFactory');
    const wallet = undeployed(factory, creationCode('OwnedWallet', owner.address));
    const { session } = await enter(owner, wallet.address, wallet.wrap);
    const next = await renew(session);
    await chain.sendAs(owner.address, { to: factory, data: wallet.call });
    const last = await renew(next);
    await handOver({ owner, address: wallet.address });
    expect((await refresh(house, last.refreshToken)).code).toBe('SIGNER_NO_LONGER_VALID');
  });
});

describe('a session that was switched from a contract wallet’s', () => {
  async function switched(): Promise<Signed & { readonly elsewhere: SignedIn }> {
    const signed = await enterOwned();
    const host = newWallet();
    const { organization } = (await enter(host, host.address)).session.viewer;
    await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, [
      rowId(organization.id),
      rowId(signed.session.viewer.user.id),
    ]);
    const answer = await house.ask<{ switchOrganization: SignedIn }>(
      `mutation ($input: SwitchOrganizationInput!) { switchOrganization(input: $input) { accessToken refreshToken } }`,
      { input: { organizationId: organization.id } },
      { token: signed.session.accessToken },
    );
    const elsewhere = answer.data?.switchOrganization;
    if (!elsewhere) throw new Error(`Switching failed: ${codeOf(answer)}`);
    return { ...signed, elsewhere };
  }

  it('goes on while the wallet takes its signature', async () => {
    const { session, elsewhere } = await switched();
    expect(await viewerCode(await renew(await renew(elsewhere)))).toBe('OK');
    expect(await viewerCode(await renew(session))).toBe('OK');
  });

  it('ends with that one, once the owner was changed', async () => {
    const { owner, address, session, elsewhere } = await switched();
    await handOver({ owner, address });
    expect((await refresh(house, elsewhere.refreshToken)).code).toBe('SIGNER_NO_LONGER_VALID');
    expect(await viewerCode(session)).toBe('UNAUTHENTICATED');
    expect(await endOf(session)).toMatchObject({ end_reason: 'signer no longer valid' });
  });
});

describe('what a contract wallet proved itself with', () => {
  it('is kept with its session, and of an account of its own key nothing is', async () => {
    const { session } = await enterOwned();
    const owner = newWallet();
    const person = await enter(owner, owner.address);
    const kept = async (one: SignedIn): Promise<unknown> => {
      const text = 'select proof_message is null as message, octet_length(proof_signature) as signature from sessions';
      return (await sql(house, `${text} where id = $1`, [sessionIdOf(one)]))[0];
    };
    expect(await kept(session)).toEqual({ message: false, signature: 65 });
    expect(await kept(person.session)).toEqual({ message: true, signature: null });
  });

  it('may be read by the role of signing in alone', async () => {
    const readers = await sql(
      house,
      `select rolname from pg_roles
      where rolname ~ '^tollhouse_(member|public|identity|worker|operator|gateway)$'
        and has_column_privilege(rolname, 'sessions', 'proof_signature', 'select')`,
    );
    expect(readers).toEqual([{ rolname: 'tollhouse_identity' }]);
  });
});
