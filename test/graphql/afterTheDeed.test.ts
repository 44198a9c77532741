import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../identity/visitor.ts';
import { type Person, signIn } from '../support/person.ts';
import { seedTenants, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

// A deed that is done, after which whoever asked for it is nobody any more before its answer is read.

let house: TestTollhouse;
let world: World;
beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 0 });
  // what a colleague may do at that instant is done here in the deed's own transaction
  await sql(
    house,
    `create function end_asker() returns trigger language plpgsql security definer as $$
     begin
       case new.data ->> 'title'
         when 'Signed out' then
           update sessions set ended_at = now(), end_reason = 'SIGNED_OUT'
           where id = nullif(current_setting('app.session_id', true), '')::uuid;
         when 'Removed' then
           update memberships set status = 'REMOVED' where organization_id = new.organization_id;
         when 'Disabled' then
           update users set status = 'DISABLED' where id = nullif(current_setting('app.user_id', true), '')::uuid;
         when 'Suspended' then
           update organizations set status = 'SUSPENDED' where id = new.organization_id;
         else
       end case;
       return null;
     end $$`,
  );
  await sql(house, 'alter table memberships disable trigger memberships_keep_an_owner');
  await sql(house, 'create trigger end_asker after insert on events for each row execute function end_asker()');
});
afterAll(() => house.stop());

/** Two pages of one list cannot be read in one query, so one is read after the deed. */
const READ_LATER =
  'paymentLink { id a: orders(first: 1) { edges { node { id } } } b: orders(first: 2) { edges { node { id } } } }';
const READ_WITH_IT = 'paymentLink { id }';

async function make(person: Person, title: string, fields: string, idempotencyKey: string | null = null) {
  const accepts = [{ asset: world.coin.caip19, amount: '1', payTo: person.account.address }];
  const { data, errors } = await house.ask<{ createPaymentLink: object | null }>(
    `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { replayed ${fields} } }`,
    { input: { title, accepts, idempotencyKey } },
    { token: person.accessToken },
  );
  return { made: data?.createPaymentLink, path: errors[0]?.path, ...errors[0]?.extensions };
}

const countOf = async (title: string): Promise<unknown> =>
  (await sql(house, 'select count(*)::int as count from payment_links where title = $1', [title]))[0]?.count;

describe('whoever is nobody any more once their deed is done', () => {
  it.each([
    ['Signed out', 'UNAUTHENTICATED'],
    ['Removed', 'MEMBERSHIP_ENDED'],
    ['Disabled', 'UNAUTHENTICATED'],
    ['Suspended', 'ORGANIZATION_SUSPENDED'],
  ])('(%s) is told that it was done, and not %s alone', async (title, reason) => {
    const person = await signIn(house);
    const answer = await make(person, title, READ_LATER);
    expect(answer).toMatchObject({ code: 'ANSWER_LOST', retryable: false, facts: { reason } });
    expect(answer.path?.[0]).toBe('createPaymentLink');
    expect(await countOf(title)).toBe(1);
    // what was not done is told by its own code
    const again = await make(person, 'Refused', READ_LATER);
    expect(again).toMatchObject({ made: null, code: reason, path: ['createPaymentLink'] });
    expect(await countOf('Refused')).toBe(0);
  });

  it('is answered where nothing is read afterwards', async () => {
    const person = await signIn(house);
    const answer = await make(person, 'Signed out', READ_WITH_IT);
    expect(answer).toMatchObject({ made: { replayed: false, paymentLink: { id: expect.any(String) } } });
  });

  it('is told what was made by the same key, once signed in again', async () => {
    const person = await signIn(house);
    const key = randomUUID();
    expect(await make(person, 'Signed out', READ_LATER, key)).toMatchObject({ code: 'ANSWER_LOST' });
    const before = await countOf('Signed out');
    const back = await signIn(house, person.account);
    expect(await make(back, 'Signed out', READ_LATER, key)).toMatchObject({ made: { replayed: true } });
    expect(await countOf('Signed out')).toBe(before);
  });

  it('is told that they are nobody where nothing was to be done', async () => {
    const person = await signIn(house);
    await make(person, 'Signed out', READ_WITH_IT);
    const { errors } = await house.ask('{ organization { paymentLinks { edges { node { id } } } } }', undefined, {
      token: person.accessToken,
    });
    expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});
