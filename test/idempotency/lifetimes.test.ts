import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepIdempotencyKeys } from '../../src/idempotency/jobs.ts';
import { mutate } from '../identity/linker.ts';
import { sql } from '../identity/visitor.ts';
import { type Person, signIn } from '../support/person.ts';
import { seedTenants, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

let house: TestTollhouse;
let world: World;
let person: Person;
beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 0 });
  person = await signIn(house);
});
afterAll(() => house.stop());

type Deed = readonly [mutation: string, hours: number, selection: string, input: () => Record<string, unknown>];
const DEEDS: readonly Deed[] = [
  [
    'createPaymentLink',
    720,
    'paymentLink { id }',
    () => ({ title: 'Tea', accepts: [{ asset: world.coin.caip19, amount: '1', payTo: person.account.address }] }),
  ],
  [
    'createRole',
    24,
    'role { id }',
    () => ({ name: `Role ${randomUUID()}`, permissions: ['organization:read', 'events:read'] }),
  ],
];

describe('a key', () => {
  it.each(DEEDS)('of %s is remembered for %i hours, and no longer', async (mutation, hours, selection, given) => {
    const input = { ...given(), idempotencyKey: randomUUID() };
    const act = () =>
      mutate<Record<string, unknown>>(house, person.accessToken, mutation, input, `${selection} replayed`);
    const first = await act();
    expect(first).toMatchObject({ code: 'OK', data: { replayed: false } });
    const [kept] = await sql(
      house,
      'select extract(epoch from expires_at - created_at)::int / 3600 as hours from idempotency_keys where operation = $1',
      [mutation],
    );
    expect(kept).toEqual({ hours });
    const age = (by: number): Promise<unknown> =>
      sql(
        house,
        `update idempotency_keys
         set created_at = created_at - make_interval(hours => $2), expires_at = expires_at - make_interval(hours => $2)
         where operation = $1`,
        [mutation, by],
      );
    const sweep = () =>
      sweepIdempotencyKeys({ database: house.resources.database, log: house.resources.log, requestId: 'test-worker' });
    await age(hours - 1);
    await sweep();
    expect(await act()).toEqual({ ...first, data: { ...first.data, replayed: true } });
    await age(2);
    await sweep();
    expect(await sql(house, 'select from idempotency_keys where operation = $1', [mutation])).toEqual([]);
  });

  it('of whatever payments do is one about money, and no other is', () => {
    const commands = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(?!idempotency).*\bcommands\/\w+\.ts$/.test(file),
    );
    const keyed = commands
      .map((file) => ({ file, text: readFileSync(`src/${file}`, 'utf8') }))
      .filter(({ text }) => /\bonce(<\w+>)?\(/.test(text));
    const about = keyed.filter(({ text }) => text.includes('isMoney: true')).map(({ file }) => file);
    expect(about).toEqual(keyed.map(({ file }) => file).filter((file) => file.startsWith('payments/')));
    expect(about.length).toBeGreaterThan(5);
  });
});
