import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  codeOf,
  enterHouse,
  getChallenge,
  goodTerms,
  newWallet,
  present,
  rowId,
  sql,
  submit,
  writeText,
} from '../identity/visitor.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { type Answer, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const LIMIT = 3;
const SETTINGS = {
  LIMIT_SIGN_INS_PER_MINUTE: '1000',
  LIMIT_CHALLENGES_PER_MINUTE: '1000',
  LIMIT_SIGN_INS_PER_ORGANIZATION_PER_MINUTE: String(LIMIT),
  LIMIT_ORDERS_PER_ORGANIZATION_PER_MINUTE: String(LIMIT),
};

let limited: TestTollhouse;
let lifted: TestTollhouse;
let world: World;
beforeAll(async () => {
  limited = await startTollhouse({ settings: { ...SETTINGS, TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0' } });
  lifted = await startTollhouse({ settings: SETTINGS });
  world = await seedTenants(limited.database.adminUrl, { tenants: 2 });
});
afterAll(async () => {
  await limited.stop();
  await lifted.stop();
});

const endWindows = () => sql(limited, `update rate_limits set window_start = window_start - interval '1 minute'`);
const retryAfter = ({ headers }: Answer<unknown>): number => Number(headers.get('retry-after'));

describe('sessions that are begun in an organization', () => {
  it('are so many a minute, and begin again when it is over', async () => {
    const wallet = newWallet();
    for (let count = 0; count < LIMIT; count += 1) await enterHouse(limited, wallet);
    const refused = await present(limited, {}, { wallet });
    expect([refused.code, refused.answer.status]).toEqual(['RATE_LIMITED', 429]);
    expect(retryAfter(refused.answer)).toBeGreaterThan(0);
    expect(retryAfter(refused.answer)).toBeLessThanOrEqual(60);
    // another organization’s are its own
    await enterHouse(limited);
    await endWindows();
    expect((await present(limited, {}, { wallet })).code).toBe('OK');
  });

  it('are not one more than that when many are begun at once', async () => {
    const wallet = newWallet();
    const person = await enterHouse(limited, wallet);
    const attempts = await Promise.all(Array.from({ length: 8 }, () => present(limited, {}, { wallet })));
    expect(attempts.filter(({ code }) => code === 'OK')).toHaveLength(LIMIT - 1);
    expect(new Set(attempts.map(({ code }) => code))).toEqual(new Set(['OK', 'RATE_LIMITED']));
    const sessions = await sql(limited, 'select from sessions where user_id = $1', [rowId(person.viewer.user.id)]);
    expect(sessions).toHaveLength(LIMIT);
  });

  it('cannot be used up by whoever proves nothing', async () => {
    const wallet = newWallet();
    await enterHouse(limited, wallet);
    for (let count = 0; count < LIMIT; count += 1) {
      const { nonce } = await getChallenge(limited);
      const message = writeText(goodTerms(limited, wallet, nonce));
      const signature = await newWallet().signMessage({ message });
      const forged = { 'x-forwarded-for': `192.0.2.${count}` };
      expect((await submit(limited, { message, signature }, forged)).code).not.toBe('OK');
    }
    expect((await present(limited, {}, { wallet })).code).toBe('OK');
  });

  it('leave the refusal in the trail', async () => {
    const wallet = newWallet();
    for (let count = 0; count <= LIMIT; count += 1) await present(limited, {}, { wallet });
    const trail = await sql(limited, 'select outcome from sign_in_attempts where address = $1 order by created_at', [
      wallet.address.toLowerCase(),
    ]);
    expect(trail.map(({ outcome }) => outcome)).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
  });

  it('are any number where limits are lifted', async () => {
    const wallet = newWallet();
    for (let count = 0; count < LIMIT + 2; count += 1) await enterHouse(lifted, wallet);
  });
});

describe('orders that an organization’s payers make', () => {
  const order = (house: TestTollhouse, { links }: Tenant, place: number, client: number) =>
    house.ask(
      `mutation ($slug: String!, $payer: Address!) {
        createPaymentOrder(input: { slug: $slug, payer: $payer }) { checkoutOrder { status } }
      }`,
      { slug: links[place % links.length]?.slug, payer: `0x${'7'.repeat(40)}` },
      { headers: { 'x-forwarded-for': `198.51.100.${client}` } },
    );

  it('are so many a minute, over all its links and payers, and begin again when it is over', async () => {
    const [one, other] = world.tenants as [Tenant, Tenant];
    for (let count = 0; count < LIMIT; count += 1) expect(codeOf(await order(limited, one, count, count))).toBe('OK');
    const refused = await order(limited, one, LIMIT, LIMIT);
    expect([codeOf(refused), refused.status]).toEqual(['RATE_LIMITED', 429]);
    expect(retryAfter(refused)).toBeGreaterThan(0);
    expect(codeOf(await order(limited, other, 0, 0))).toBe('OK');
    await endWindows();
    expect(codeOf(await order(limited, one, 0, 0))).toBe('OK');
  });

  it('count only where an order comes of it', async () => {
    await endWindows();
    const [, other] = world.tenants as [Tenant, Tenant];
    const refuse = () =>
      limited.ask(
        `mutation ($slug: String!) {
          createPaymentOrder(input: { slug: $slug, payer: "0x0000000000000000000000000000000000000000" }) { replayed }
        }`,
        { slug: other.links[0]?.slug },
      );
    for (let count = 0; count <= LIMIT; count += 1) expect(codeOf(await refuse())).toBe('PAYER_REFUSED');
    await sql(limited, 'update chain_incarnations set caught_up_at = null');
    for (let count = 0; count <= LIMIT; count += 1) {
      expect(codeOf(await order(limited, other, count, count))).toBe('CHAIN_UNAVAILABLE');
    }
    await sql(limited, `update chain_incarnations set caught_up_at = now() + interval '1 day'`);
    expect(codeOf(await order(limited, other, 0, 0))).toBe('OK');
  });

  it('are any number where limits are lifted', async () => {
    const { tenants } = await seedTenants(lifted.database.adminUrl, { tenants: 1 });
    for (let count = 0; count < LIMIT + 2; count += 1) {
      expect(codeOf(await order(lifted, tenants[0] as Tenant, count, count))).toBe('OK');
    }
  });
});
