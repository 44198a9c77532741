import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, decide, type Entry, entryOf, inboxOf, secondShop, toldAbout } from './inbox.ts';
import { type Market, makeLink, newPayer, openMarket } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

/** A shop of its own, and what strangers have sent to it. */
async function dusted(count: number): Promise<{ shop: Person; ids: string[] }> {
  const shop = await signIn(market.house);
  const { payTo } = await makeLink(market, { by: shop });
  await market.watch();
  const stranger = await newPayer(market);
  for (let index = 1; index <= count; index += 1) await stranger.transfer(payTo, BigInt(index));
  await market.watch();
  const entries = await inboxOf(market, shop);
  expect(entries).toHaveLength(count);
  return { shop, ids: entries.map(({ id }) => id).reverse() };
}

interface Ignored {
  readonly code: string;
  readonly place: unknown;
  readonly answer: { readonly unmatchedPayments: readonly Entry[]; readonly replayed: boolean } | null;
}

async function ignore(by: Person | null, ids: readonly string[], given: object = {}): Promise<Ignored> {
  const { data, errors } = await market.house.ask<{ ignoreUnmatchedPayments: Ignored['answer'] }>(
    `mutation ($input: IgnoreUnmatchedPaymentsInput!) {
      ignoreUnmatchedPayments(input: $input) { unmatchedPayments { id status note } replayed }
    }`,
    { input: { ids, note: 'dust', ...given } },
    by ? { token: by.accessToken } : {},
  );
  const { code = 'OK', facts } = (errors[0]?.extensions ?? {}) as { code?: string; facts?: { place?: number } };
  return { code, place: facts?.place, answer: data?.ignoreUnmatchedPayments ?? null };
}

const statusesOf = async (by: Person): Promise<string[]> =>
  (await inboxOf(market, by)).map(({ status }) => status).reverse();

describe('dust', () => {
  it('is put aside at once, in the order in which it is named, once for each key', async () => {
    const { shop, ids } = await dusted(4);
    const [one = '', two = '', three = '', four = ''] = ids;
    const key = { idempotencyKey: 'all-that-strangers-sent' };
    const done = await ignore(shop, [three, one, two], key);
    expect(done).toMatchObject({ code: 'OK', answer: { replayed: false } });
    expect(done.answer?.unmatchedPayments).toEqual(
      [three, one, two].map((id) => ({ id, status: 'IGNORED', note: 'dust' })),
    );
    expect((await ignore(shop, [three, one, two], key)).answer).toMatchObject({
      replayed: true,
      unmatchedPayments: [{ id: three }, { id: one }, { id: two }],
    });
    expect((await ignore(shop, [three, one], key)).code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await statusesOf(shop)).toEqual(['IGNORED', 'IGNORED', 'IGNORED', 'OPEN']);
    expect(await toldAbout(market, 'unmatched-payment', one)).toEqual(['received', 'ignored']);
    // and is somebody's all the same
    expect((await decide(market, shop, 'refundUnmatchedPayment', { id: one })).code).toBe('OK');
    await market.watch();
    expect((await ignore(shop, [four, one])).code).toBe('UNMATCHED_PAYMENT_CLOSED');
  });

  it('is put aside whole or not at all', async () => {
    const { shop, ids } = await dusted(3);
    const [one = '', two = '', three = ''] = ids;
    const stranger = await dusted(1);
    expect(await ignore(shop, [one, stranger.ids[0] ?? '', two])).toMatchObject({
      code: 'UNMATCHED_PAYMENT_NOT_FOUND',
      place: 2,
    });
    expect(await ignore(shop, [one, two, 'x'])).toMatchObject({ code: 'UNMATCHED_PAYMENT_NOT_FOUND', place: 3 });
    await decide(market, shop, 'refundUnmatchedPayment', { id: three });
    expect(await ignore(shop, [one, two, three])).toMatchObject({ code: 'UNMATCHED_PAYMENT_CLOSED', place: 3 });
    expect((await ignore(shop, [])).code).toBe('BAD_USER_INPUT');
    expect(
      (
        await ignore(
          shop,
          Array.from({ length: 101 }, () => one),
        )
      ).code,
    ).toBe('BAD_USER_INPUT');
    expect((await ignore(shop, [one], { note: ' ' })).code).toBe('BAD_USER_INPUT');
    expect(await statusesOf(shop)).toEqual(['OPEN', 'OPEN', 'REFUNDED']);
    expect(await statusesOf(stranger.shop)).toEqual(['OPEN']);
    // the same one twice is one
    expect((await ignore(shop, [one, one])).code).toBe('OK');
  });

  it('is put aside by whoever may write payments, and where another organization has it, by nobody', async () => {
    const { shop, ids } = await dusted(2);
    const [admin, member] = [await colleague(market, shop, 'ADMIN'), await colleague(market, shop, 'MEMBER')];
    expect((await ignore(null, ids)).code).toBe('UNAUTHENTICATED');
    expect((await ignore(member, ids)).code).toBe('FORBIDDEN');
    expect((await ignore(admin, ids)).code).toBe('OK');
    const other = await secondShop(market, shop);
    const { payTo } = await makeLink(market, { by: other });
    const { hash } = await (await newPayer(market)).transfer(payTo, 7n);
    await market.watch();
    const [ours, theirs] = [await entryOf(market, shop, hash), await entryOf(market, other, hash)];
    await decide(market, other, 'refundUnmatchedPayment', { id: theirs?.id });
    expect(await ignore(shop, [ids[0] ?? '', ours?.id ?? ''])).toMatchObject({ code: 'TRANSFER_TAKEN', place: 2 });
  });

  it('of which two put the same aside in another order at one instant, each waits for the other', async () => {
    const { shop, ids } = await dusted(20);
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ignore(shop, index % 2 === 0 ? ids : [...ids].reverse())),
    );
    expect(new Set(asked.map(({ code }) => code))).toEqual(new Set(['OK']));
    expect(new Set(await statusesOf(shop))).toEqual(new Set(['IGNORED']));
  });

  it('keeps no organization from being deleted once it is put aside', async () => {
    const { shop, ids } = await dusted(3);
    const remove = async (): Promise<string> => {
      const { errors } = await market.house.ask(
        `mutation ($slug: String!) { deleteOrganization(input: { slug: $slug }) { organizationId } }`,
        { slug: await slugOf(shop) },
        { token: shop.accessToken },
      );
      return errors[0]?.extensions.code ?? 'OK';
    };
    expect(await remove()).toBe('ORGANIZATION_HAS_OPEN_MONEY');
    expect((await ignore(shop, ids)).code).toBe('OK');
    expect(await remove()).toBe('OK');
  });
});

async function slugOf(by: Person): Promise<string> {
  const { data } = await market.house.ask<{ organization: { slug: string } }>(
    '{ organization { slug } }',
    {},
    { token: by.accessToken },
  );
  return data?.organization.slug ?? '';
}
