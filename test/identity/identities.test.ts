import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { link } from './linker.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
});
afterAll(() => house.stop());

interface Seen {
  readonly id: string;
  readonly kind: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly wallet: { readonly address: string; readonly controlledBy: { readonly address: string } | null } | null;
}

async function identitiesOf(person: SignedIn, page = ''): Promise<readonly Seen[]> {
  const { data } = await house.ask<{ viewer: { identities: { edges: { node: Seen }[] } } }>(
    `{ viewer { identities${page} { edges { node {
      id kind issuer subject email emailVerified wallet { address controlledBy { address } }
    } } } } }`,
    {},
    { token: person.accessToken },
  );
  return data?.viewer.identities.edges.map(({ node }) => node) ?? [];
}

/** A row as a later sign-in or link would leave it. */
function insertIdentity(person: SignedIn, row: Readonly<Record<string, unknown>>): Promise<unknown> {
  const columns = Object.keys(row);
  return sql(
    house,
    `insert into identities (user_id, ${columns}) values ($1, ${columns.map((_, index) => `$${index + 2}`)})`,
    [rowId(person.viewer.user.id), ...Object.values(row)],
  );
}

const google = (subject: string) => ({
  kind: 'SOCIAL',
  issuer: 'thirdweb:google',
  subject,
  email: 'alice@example.org',
  email_verified: true,
});

describe('identities', () => {
  it('of all kinds are listed, the newest first, each as what it is', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    await link(house, person, second);
    await insertIdentity(person, google('1001'));
    expect(await identitiesOf(person)).toMatchObject([
      { kind: 'SOCIAL', issuer: 'thirdweb:google', subject: '1001', email: 'alice@example.org', wallet: null },
      { kind: 'WALLET', issuer: 'eip155', wallet: { address: second.address, controlledBy: null } },
      { kind: 'WALLET', issuer: 'eip155', subject: first.address.toLowerCase(), emailVerified: false },
    ]);
    expect(await identitiesOf(person, '(kind: SOCIAL)')).toHaveLength(1);
    expect(await identitiesOf(person, '(first: 1)')).toHaveLength(1);
    expect(await identitiesOf(person, '(kind: EMAIL)')).toEqual([]);
  });

  it('are nodes to their own user, and nothing to anybody else', async () => {
    const [person, stranger] = [await enterHouse(house), await enterHouse(house)];
    const [identity] = await identitiesOf(person);
    const ask = async (asker: SignedIn) => {
      const query = 'query ($id: ID!) { node(id: $id) { __typename ... on Identity { kind } } }';
      return (await house.ask(query, { id: identity?.id }, { token: asker.accessToken })).data;
    };
    expect(await ask(person)).toEqual({ node: { __typename: 'Identity', kind: 'WALLET' } });
    expect(await ask(stranger)).toEqual({ node: null });
  });

  it('show which wallet of the user’s a contract obeys', async () => {
    const admin = newWallet();
    const person = await enterHouse(house, admin);
    const [{ id } = { id: '' }] = await identitiesOf(person);
    const address = newWallet().address.toLowerCase();
    const contract = {
      kind: 'WALLET',
      issuer: 'eip155:31337',
      subject: address,
      address,
      chain_id: 31337,
      wallet_kind: 'CONTRACT',
      wallet_source: 'THIRDWEB_SMART',
      controlled_by_id: rowId(id),
    };
    await insertIdentity(person, contract);
    expect((await identitiesOf(person))[0]?.wallet?.controlledBy).toEqual({ address: admin.address });
    const stranger = await enterHouse(house);
    const taken = { ...contract, subject: `${address.slice(0, -1)}z` };
    await expect(insertIdentity(stranger, taken)).rejects.toThrow('identities_controlled_by_id_user_id_fkey');
  });

  it.each([
    ['an e-mail identity without an address', { kind: 'EMAIL', issuer: 'email', subject: 'x' }],
    ['a telephone number that is none', { kind: 'PHONE', issuer: 'thirdweb:phone', subject: 'x', phone: '12' }],
    ['an address that was proved and is not there', { ...google('2'), email: null }],
    ['an address that is none', { ...google('3'), email: 'alice' }],
    ['a social account with an address of the chain', { ...google('4'), address: `0x${'1'.repeat(40)}` }],
    ['a social account as the preferred wallet', { ...google('5'), is_primary: true }],
  ])('cannot be %s', async (_, row) => {
    const person = await enterHouse(house);
    await expect(insertIdentity(person, row)).rejects.toThrow(/violates check constraint/);
    expect(await identitiesOf(person)).toHaveLength(1);
  });
});
