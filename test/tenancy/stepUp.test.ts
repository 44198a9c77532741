import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mutate, stepUp } from '../identity/linker.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sessionIdOf, sql } from '../identity/visitor.ts';
import { seedTenants, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { change, look } from './changing.ts';

let house: TestTollhouse;
let world: World;
let person: SignedIn;
const wallet = newWallet();
beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 0 });
});
beforeEach(async () => {
  person = await enterHouse(house, wallet);
  await set(false);
});
afterAll(() => house.stop());

/** As an administrator would, whom nobody asks for a proof. */
const set = (on: boolean, organizationId = rowId(person.viewer.organization.id)) =>
  sql(house, 'update organization_settings set require_step_up = $1 where organization_id = $2', [on, organizationId]);
const age = (who: SignedIn) =>
  sql(house, `update sessions set proved_at = now() - interval '11 minutes' where id = $1`, [sessionIdOf(who)]);

/** Everything that is dangerous in an organization; `OK` where it was done. */
const DANGEROUS: readonly (readonly [string, (token: string) => Promise<string>])[] = [
  [
    'createPaymentLink',
    async (token) => {
      const accepts = [{ asset: world.coin.caip19, amount: '1', payTo: wallet.address }];
      return (await mutate(house, token, 'createPaymentLink', { title: 'Tea', accepts }, 'replayed')).code;
    },
  ],
  ['updateOrganization', async (token) => (await change(house, token, 'updateOrganization', { name: 'Tea' })).code],
  [
    'updateOrganizationSettings, off',
    async (token) => (await change(house, token, 'updateOrganizationSettings', { requireStepUp: false })).code,
  ],
  [
    'updateOrganizationSettings, on',
    async (token) => (await change(house, token, 'updateOrganizationSettings', { requireStepUp: true })).code,
  ],
  [
    'updateStoreConfiguration',
    async (token) => (await change(house, token, 'updateStoreConfiguration', { theme: {} })).code,
  ],
];

async function made<Made>(token: string, field: string, input: object, selection: string): Promise<Made> {
  const { code, data } = await mutate<Made>(house, token, field, input, selection);
  if (!data) throw new Error(`${field}: ${code}`);
  return data;
}

async function invited(token: string): Promise<string> {
  const input = { address: newWallet().address, role: 'MEMBER' };
  return (await made<{ invitation: { id: string } }>(token, 'inviteMember', input, 'invitation { id }')).invitation.id;
}

async function domain(token: string): Promise<string> {
  const input = { host: `${newWallet().address.toLowerCase()}.example.org`, kind: 'SUBDOMAIN' };
  return (await made<{ domain: { id: string } }>(token, 'addDomain', input, 'domain { id }')).domain.id;
}

/** The membership of the person who asks. */
async function place(token: string): Promise<string> {
  const { data } = await house.ask<{ organization: { memberships: { edges: { node: { id: string } }[] } } }>(
    '{ organization { memberships { edges { node { id } } } } }',
    {},
    { token },
  );
  return data?.organization.memberships.edges[0]?.node.id ?? '';
}

describe('an organization that asks for a fresh proof', () => {
  it.each(DANGEROUS)('refuses %s without one, and lets it be done after another', async (_, act) => {
    await age(person);
    await set(true);
    const before = await look(house, person.accessToken);
    expect(await act(person.accessToken)).toBe('STEP_UP_REQUIRED');
    expect(await look(house, person.accessToken)).toEqual(before);
    expect(await stepUp(house, person, wallet)).toBe('OK');
    expect(await act(person.accessToken)).toBe('OK');
  });

  it.each(DANGEROUS)('takes signing in for one: %s', async (_, act) => {
    await set(true);
    expect(await act(person.accessToken)).toBe('OK');
  });

  it('is one of many: where nobody asks, nothing needs one', async () => {
    const neighbour = await enterHouse(house);
    await set(true, rowId(neighbour.viewer.organization.id));
    await age(person);
    for (const [name, act] of DANGEROUS) {
      await set(false);
      expect([name, await act(person.accessToken)]).toEqual([name, 'OK']);
    }
  });

  it('counts the proof of the session that signing in began, for what was switched from it', async () => {
    await set(true);
    const { data } = await mutate<SignedIn>(
      house,
      person.accessToken,
      'switchOrganization',
      { organizationId: person.viewer.organization.id },
      'accessToken refreshToken',
    );
    const token = data?.accessToken ?? '';
    expect((await change(house, token, 'updateStoreConfiguration', { theme: {} })).code).toBe('OK');
    await age(person);
    expect((await change(house, token, 'updateStoreConfiguration', { theme: {} })).code).toBe('STEP_UP_REQUIRED');
  });

  it('answers nothing again for a key that was used before, until there is another proof', async () => {
    const input = { theme: { colour: 'red' }, idempotencyKey: 'a-key-of-somebody-who-was-fresh' };
    expect((await change(house, person.accessToken, 'updateStoreConfiguration', input)).code).toBe('OK');
    await set(true);
    await age(person);
    expect((await change(house, person.accessToken, 'updateStoreConfiguration', input)).code).toBe('STEP_UP_REQUIRED');
    await stepUp(house, person, wallet);
    const again = await change(house, person.accessToken, 'updateStoreConfiguration', input);
    expect(again.data?.replayed).toBe(true);
  });

  it.each<[string, string, (token: string) => Promise<Record<string, unknown>>]>([
    ['inviteMember', 'invitation { id }', async () => ({ address: newWallet().address, role: 'MEMBER' })],
    ['revokeInvitation', 'invitation { id }', async (token) => ({ id: await invited(token) })],
    ['updateMembership', 'membership { id }', async (token) => ({ id: await place(token), jobTitle: 'Baker' })],
    ['removeDomain', 'domainId', async (token) => ({ id: await domain(token) })],
    ['createApiKey', 'apiKey { id }', async () => ({ name: 'Till', kind: 'SERVICE', scopes: ['payment-links:read'] })],
  ])('answers %s no more than anything else for a key that was used before', async (field, selection, given) => {
    const idempotencyKey = `the-key-of-${field}-when-fresh`;
    const input = { ...(await given(person.accessToken)), idempotencyKey };
    const act = () => mutate(house, person.accessToken, field, input, `${selection} replayed`);
    expect((await act()).code).toBe('OK');
    await set(true);
    await age(person);
    expect((await act()).code).toBe('STEP_UP_REQUIRED');
    await stepUp(house, person, wallet);
    expect(await act()).toMatchObject({ code: 'OK', data: { replayed: true } });
  });

  it('or one that does not: a key reaches no further without one, and may be called otherwise', async () => {
    const { apiKey } = await made<{ apiKey: { id: string } }>(
      person.accessToken,
      'createApiKey',
      { name: 'Till', kind: 'SERVICE', scopes: ['payment-links:read'], monthlyLimit: 10 },
      'apiKey { id }',
    );
    const update = async (words: object) =>
      (await mutate(house, person.accessToken, 'updateApiKey', { id: apiKey.id, ...words }, 'replayed')).code;
    await age(person);
    const further = [{ monthlyLimit: null }, { expiresAt: null }, { allowedAddresses: [] }, { allowedOrigins: [] }];
    for (const words of further) expect(await update(words)).toBe('STEP_UP_REQUIRED');
    expect(await update({ name: 'Old till', description: 'at the door' })).toBe('OK');
    await stepUp(house, person, wallet);
    for (const words of further) expect(await update(words)).toBe('OK');
  });

  it('can still be read', async () => {
    await set(true);
    await age(person);
    expect(await look(house, person.accessToken)).toMatchObject({ settings: { requireStepUp: true } });
  });
});
