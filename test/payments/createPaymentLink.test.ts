import { zeroAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { type Person, signIn } from '../support/person.ts';
import type { Answer } from '../support/tollhouse.ts';
import { expectBooksToBalance } from './books.ts';
import { ETH, type Market, openMarket, TUSD } from './market.ts';

let market: Market;
let merchant: Person;
beforeAll(async () => {
  market = await openMarket();
  merchant = market.merchant;
});
afterAll(async () => {
  await expectBooksToBalance(market);
  await market.close();
});

interface Accept {
  readonly asset: string;
  readonly amount: unknown;
  readonly payTo: string;
}

interface CreatedLink {
  readonly id: string;
  readonly slug: string;
  readonly url: string;
  readonly title: string;
  readonly description: string | null;
  readonly status: string;
  readonly orderLifetimeMinutes: number;
  readonly accepts: readonly {
    readonly asset: { readonly symbol: string; readonly decimals: number; readonly caip19: string };
    readonly amount: string;
    readonly units: string;
    readonly payTo: string;
  }[];
}

const ACCEPTS = 'accepts { asset { symbol decimals caip19 } amount units payTo }';
const LINK = `id slug url title description status orderLifetimeMinutes ${ACCEPTS}`;

function create(
  input: { readonly accepts?: readonly Partial<Accept>[]; readonly [field: string]: unknown },
  by: Person | null = merchant,
): Promise<Answer<{ createPaymentLink: { paymentLink: CreatedLink } }>> {
  const accepts = (input.accepts ?? [{}]).map((accept) => ({ ...lunch(), ...accept }));
  return market.house.ask(
    `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { ${LINK} } } }`,
    { input: { title: 'Lunch', ...input, accepts } },
    by ? { token: by.accessToken } : {},
  );
}

function lunch(): Accept {
  return { asset: TUSD, amount: '12.5', payTo: merchant.account.address };
}

async function made(...given: Parameters<typeof create>): Promise<CreatedLink> {
  const { data, errors } = await create(...given);
  if (!data) throw new Error(`There is no answer: ${JSON.stringify(errors)}`);
  return data.createPaymentLink.paymentLink;
}

/** How many links and what belongs to them there are in all. */
async function written(): Promise<unknown> {
  const [counts] = await market.sql(`
    select (select count(*) from payment_links) as links, (select count(*) from payment_link_accepts) as accepts,
      (select count(*) from handles) as handles, (select count(*) from events) as events`);
  return counts;
}

/** The code of a refusal that wrote nothing, with its facts. */
async function refused(...given: Parameters<typeof create>): Promise<[code: string | undefined, facts: unknown]> {
  const before = await written();
  const { data, errors } = await create(...given);
  expect(Object.values(data ?? {}).filter(Boolean)).toEqual([]);
  expect(errors).toHaveLength(1);
  expect(await written()).toEqual(before);
  return [errors[0]?.extensions.code, errors[0]?.extensions.facts];
}

describe('a payment link', () => {
  it('is active at once, and shows what it was made of', async () => {
    const link = await made({
      title: '  Two coffees  ',
      description: 'With milk.',
      orderLifetimeMinutes: 15,
      accepts: [{}, { asset: ETH, amount: '0.005' }],
    });
    const payTo = merchant.account.address;
    expect(link).toMatchObject({
      title: 'Two coffees',
      description: 'With milk.',
      status: 'ACTIVE',
      orderLifetimeMinutes: 15,
      accepts: [
        { asset: { symbol: 'TUSD', decimals: 6, caip19: TUSD }, amount: '12.5', units: '12500000', payTo },
        { asset: { symbol: 'ETH', decimals: 18, caip19: ETH }, amount: '0.005', units: '5000000000000000', payTo },
      ],
    });
    expect(link.slug).toMatch(/^[\w-]{22}$/);
    expect(link.url).toBe(`http://localhost:${market.house.gateway.port}/pay/${link.slug}`);
  });

  it('is found again by its id, in its organization, newest first, and by nobody else', async () => {
    const older = await made({});
    const newer = await made({});
    const query = `query ($id: ID!) {
      node(id: $id) { ... on PaymentLink { ${LINK} } }
      organization { paymentLinks(first: 2) { edges { node { id } } } }
    }`;
    const seen = await market.house.ask(query, { id: older.id }, { token: merchant.accessToken });
    expect(seen.data).toEqual({
      node: older,
      organization: { paymentLinks: { edges: [{ node: { id: newer.id } }, { node: { id: older.id } }] } },
    });
    const stranger = await signIn(market.house);
    const unseen = await market.house.ask(query, { id: older.id }, { token: stranger.accessToken });
    expect(unseen).toMatchObject({ data: { node: null, organization: { paymentLinks: { edges: [] } } }, errors: [] });
  });

  it('is told once, and its audit entries name who made it', async () => {
    const { slug } = await made({});
    const told = await market.sql(
      `select e.type, e.actor = 'user:' || i.user_id as by_merchant, e.data
       from payment_links l
       join events e on e.aggregate_id = l.id
       join identities i on i.address = $2
       where l.slug = $1`,
      slug,
      merchant.account.address.toLowerCase(),
    );
    expect(told).toEqual([
      { type: 'payment-link.created', by_merchant: true, data: { title: 'Lunch', status: 'ACTIVE' } },
    ]);
    const entries = await market.sql(
      `select a.table_name, a.verb, a.role, a.user_id = l.created_by_id as by_merchant, a.session_id is not null as session
       from payment_links l
       left join payment_link_accepts p on p.payment_link_id = l.id
       join audit_entries a on a.row_id in (l.id, p.id)
       where l.slug = $1
       order by a.table_name desc`,
      slug,
    );
    const entry = { verb: 'INSERT', role: 'tollhouse_member', by_merchant: true, session: true };
    expect(entries).toEqual([
      { table_name: 'payment_links', ...entry },
      { table_name: 'payment_link_accepts', ...entry },
    ]);
  });

  it.each([
    ['123456789012345678901234.123456789012345678', '123456789012345678901234123456789012345678'],
    ['0.000000000000000001', '1'],
    [
      '115792089237316195423570985008687907853269984665640564039457.584007913129639935',
      '115792089237316195423570985008687907853269984665640564039457584007913129639935',
    ],
  ])('keeps %s ether exact wherever it is shown', async (amount, units) => {
    const link = await made({ accepts: [{ asset: ETH, amount }] });
    expect(link.accepts).toMatchObject([{ amount, units }]);
    const order = await market.house.ask(
      `mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) {
        checkoutOrder { due { amount units } paymentRequest { value eip681 } }
      } }`,
      { input: { slug: link.slug, payer: TEST_TOKEN_ADDRESS } },
    );
    const eip681 = `ethereum:${merchant.account.address}@31337?value=${units}`;
    expect(order.data).toEqual({
      createPaymentOrder: { checkoutOrder: { due: { amount, units }, paymentRequest: { value: units, eip681 } } },
    });
    const query = `query ($id: ID!, $slug: String!) {
      node(id: $id) { ... on PaymentLink {
        accepts { amount units }
        orders { edges { node { dueUnits creditedUnits } } }
      } }
      checkout(slug: $slug) { accepts { amount units } }
      organization {
        paymentLinks(first: 1) { edges { node { accepts { amount units } } } }
        paymentOrders(first: 1) { edges { node { dueUnits paymentLink { accepts { units } } } } }
      }
    }`;
    const seen = await market.house.ask(query, { id: link.id, slug: link.slug }, { token: merchant.accessToken });
    const accepts = [{ amount, units }];
    expect(seen.data).toEqual({
      node: { accepts, orders: { edges: [{ node: { dueUnits: units, creditedUnits: '0' } }] } },
      checkout: { accepts },
      organization: {
        paymentLinks: { edges: [{ node: { accepts } }] },
        paymentOrders: { edges: [{ node: { dueUnits: units, paymentLink: { accepts: [{ units }] } } }] },
      },
    });
  });

  it.each([TUSD, TUSD.toLowerCase()])('takes %s by its name with the checksum and without', async (asset) => {
    expect((await made({ accepts: [{ asset }] })).accepts[0]?.asset.caip19).toBe(TUSD);
  });

  it('takes the payee in any spelling that an address has', async () => {
    const { address } = merchant.account;
    for (const payTo of [address, address.toLowerCase()]) {
      expect((await made({ accepts: [{ payTo }] })).accepts[0]?.payTo).toBe(address);
    }
  });

  it.each([
    ['one letter', 'x'],
    ['two hundred letters', 'x'.repeat(200)],
    ['two hundred faces', '🙂'.repeat(200)],
    ['two hundred, and blanks around them', ` ${'x'.repeat(200)}\n`],
  ])('takes a title of %s', async (_, title) => {
    expect((await made({ title })).title).toBe(title.trim());
  });

  it('can be made by an admin', async () => {
    const admin = await signIn(market.house);
    await setRole(admin, 'ADMIN');
    expect((await made({ accepts: [{ payTo: admin.account.address }] }, admin)).status).toBe('ACTIVE');
  });
});

/** Gives somebody another role in their own organization. */
async function setRole({ account }: Person, role: string): Promise<void> {
  await market.sql(
    `update memberships m set role = $2::membership_role
     from identities i where i.user_id = m.user_id and i.address = $1`,
    account.address.toLowerCase(),
    role,
  );
}

describe('a payee', () => {
  it('that nobody has proved is refused', async () => {
    const stranger = privateKeyToAccount(generatePrivateKey()).address;
    const facts = { payTo: stranger.toLowerCase() };
    expect(await refused({ accepts: [{ payTo: stranger }] })).toEqual(['PAYEE_NOT_PROVED', facts]);
  });

  it('that another organization has proved is refused with the same words', async () => {
    const { account } = await signIn(market.house);
    const facts = { payTo: account.address.toLowerCase() };
    expect(await refused({ accepts: [{ payTo: account.address }] })).toEqual(['PAYEE_NOT_PROVED', facts]);
  });

  it('that only a member without the right to write payments has proved is refused', async () => {
    const clerk = await signIn(market.house);
    const join = (role: string): Promise<unknown> =>
      market.sql(
        `insert into memberships (organization_id, user_id, role)
         select mine.organization_id, theirs.user_id, $3::membership_role
         from identities i
         join memberships mine on mine.user_id = i.user_id
         cross join identities theirs
         where i.address = $1 and theirs.address = $2
         on conflict (organization_id, user_id) do update set role = excluded.role`,
        merchant.account.address.toLowerCase(),
        clerk.account.address.toLowerCase(),
        role,
      );
    const payTo = clerk.account.address;
    await join('MEMBER');
    expect((await refused({ accepts: [{ payTo }] }))[0]).toBe('PAYEE_NOT_PROVED');
    await join('ADMIN');
    expect((await made({ accepts: [{ payTo }] })).accepts[0]?.payTo).toBe(payTo);
    await market.sql(
      `update memberships set status = 'LEFT' where role = 'ADMIN' and user_id = (
      select user_id from identities where address = $1)`,
      payTo.toLowerCase(),
    );
    expect((await refused({ accepts: [{ payTo }] }))[0]).toBe('PAYEE_NOT_PROVED');
  });

  it.each([
    ['the zero address', zeroAddress],
    ['the token itself', TEST_TOKEN_ADDRESS],
  ])('that is %s is refused', async (_, payTo) => {
    expect(await refused({ accepts: [{ payTo }] })).toEqual(['PAYEE_REFUSED', { payTo: payTo.toLowerCase() }]);
  });

  it.each([
    '0x',
    'vitalik.eth',
    `0x${'f'.repeat(39)}`,
    `0x${'f'.repeat(41)}`,
    '0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045',
  ])('that is %j is no address', async (payTo) => {
    expect((await refused({ accepts: [{ payTo }] }))[0]).toBe('BAD_USER_INPUT');
  });
});

describe('an amount', () => {
  it.each([
    ['0', 'ZERO'],
    ['0.000000', 'ZERO'],
    ['0.0000001', 'TOO_PRECISE'],
    ['1.2345678', 'TOO_PRECISE'],
    ['9'.repeat(78), 'TOO_LARGE'],
    [`${'9'.repeat(101)}`, 'NOT_A_DECIMAL'],
  ])('%s is refused', async (amount, reason) => {
    const facts = { asset: TUSD, amount, decimals: 6, reason };
    expect(await refused({ accepts: [{ amount }] })).toEqual(['AMOUNT_INVALID', facts]);
  });

  it.each(['-1', '1e3', '', '1,5', ' 1', '0x1', '1\0', 12.5, 12, true, ['1']])(
    '%j is not one at all',
    async (amount) => {
      expect((await refused({ accepts: [{ amount }] }))[0]).toBe('BAD_USER_INPUT');
    },
  );

  it('cannot be a number in the document either', async () => {
    const accepts = `[{ asset: "${TUSD}", amount: 12.5, payTo: "${merchant.account.address}" }]`;
    const { data, errors } = await market.house.ask(
      `mutation { createPaymentLink(input: { title: "Lunch", accepts: ${accepts} }) { paymentLink { id } } }`,
      {},
      { token: merchant.accessToken },
    );
    expect(Object.values(data ?? {}).filter(Boolean)).toEqual([]);
    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  it('may have zeros behind its last digit', async () => {
    expect((await made({ accepts: [{ amount: '12.50000000000' }] })).accepts[0]?.amount).toBe('12.5');
  });
});

describe('the ways to pay', () => {
  it.each([
    'eip155:31337/erc20:0x0000000000000000000000000000000000000001',
    'eip155:1/slip44:60',
    'eip155:31337/slip44:61',
    'TUSD',
    '',
    'x'.repeat(5_000),
  ])('cannot be in %j', async (asset) => {
    expect((await refused({ accepts: [{ asset }] }))[0]).toBe('ASSET_UNKNOWN');
  });

  it('are one at least, and twenty at most', async () => {
    expect(await refused({ accepts: [] })).toEqual(['ACCEPTS_INVALID', { actual: 0 }]);
    const accepts = Array.from({ length: 21 }, (_, index) => ({ asset: `eip155:${index + 1}/slip44:60` }));
    expect(await refused({ accepts })).toEqual(['ACCEPTS_INVALID', { actual: 21 }]);
    expect((await refused({ accepts: accepts.slice(1) }))[0]).toBe('ASSET_UNKNOWN');
  });

  it('name each asset once, in whatever spelling', async () => {
    const accepts = [{ asset: TUSD }, { asset: TUSD.toLowerCase(), amount: '1' }];
    expect(await refused({ accepts })).toEqual(['ACCEPTS_INVALID', { actual: 2 }]);
  });
});

describe('the words', () => {
  it.each([
    ['nothing', ''],
    ['blanks', ' \n\t '],
    ['two hundred and one letters', 'x'.repeat(201)],
    ['two hundred and one faces', '🙂'.repeat(201)],
  ])('of a title cannot be %s', async (_, title) => {
    expect(await refused({ title })).toMatchObject(['BAD_USER_INPUT', { field: 'title' }]);
  });

  it.each([
    ['a description of more than two thousand letters', { description: 'x'.repeat(2_001) }, 'description'],
    ['a lifetime of no time', { orderLifetimeMinutes: 0 }, 'orderLifetimeMinutes'],
    ['a lifetime of the past', { orderLifetimeMinutes: -1 }, 'orderLifetimeMinutes'],
    ['a lifetime of more than thirty days', { orderLifetimeMinutes: 43_201 }, 'orderLifetimeMinutes'],
  ])('cannot be %s', async (_, words, field) => {
    expect(await refused(words)).toMatchObject(['BAD_USER_INPUT', { field }]);
  });

  it.each<[string, Parameters<typeof create>[0]]>([
    ['title', { title: 'Lu\0nch' }],
    ['description', { description: '\0' }],
    ['asset', { accepts: [{ asset: `${ETH}\0` }] }],
  ])('hold no NUL, in %s as in everything that is sent', async (_, words) => {
    expect(await refused(words)).toMatchObject(['BAD_USER_INPUT', { fault: 'it holds a NUL character' }]);
  });

  it('may be a description of two thousand faces', async () => {
    expect((await made({ description: '🙂'.repeat(2_000) })).description).toHaveLength(4_000);
  });
});

describe('who', () => {
  it('is not signed in makes no link', async () => {
    expect((await refused({}, null))[0]).toBe('UNAUTHENTICATED');
  });

  it('is only a member makes no link, not even to their own wallet', async () => {
    const clerk = await signIn(market.house);
    await setRole(clerk, 'MEMBER');
    const accepts = [{ payTo: clerk.account.address }];
    expect(await refused({ accepts }, clerk)).toEqual(['FORBIDDEN', { permission: 'payments:write' }]);
  });
});
