import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountedTollhouse, startCountedTollhouse } from '../graphql/trips.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { makeKey } from './keyHolder.ts';
import { tokenOf } from './memberChanges.ts';

let house: CountedTollhouse;
let owner: string;

beforeAll(async () => {
  house = await startCountedTollhouse({ limits: false });
  const [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1 })).tenants as [Tenant];
  owner = await tokenOf(house, tenant, 'OWNER');
});
afterAll(() => house.stop());

describe('a query by an API key', () => {
  it.each([
    ['without a limit', {}],
    ['with a monthly limit', { monthlyLimit: 100 }],
    ['from allowed addresses', { allowedAddresses: ['127.0.0.0/8', '::1'] }],
  ])('is one round trip %s, and the first one that a process has of it one more', async (_, input) => {
    const { text } = await makeKey(house, owner, input);
    const ask = () =>
      house.count('{ organization { name paymentLinks(first: 2) { edges { node { title } } } } }', {}, text);
    expect((await ask()).cost).toEqual({ statements: 2, roundTrips: 2 });
    for (let again = 0; again < 3; again += 1) {
      const { cost, answer } = await ask();
      expect(answer.errors).toEqual([]);
      expect(cost).toEqual({ statements: 1, roundTrips: 1 });
    }
  });
});
