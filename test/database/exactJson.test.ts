import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepExact } from '../../src/database/exactJson.ts';
import { type Database, openDatabase } from '../../src/database/scope.ts';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { memberScene, seedTenants, type Tenant } from '../support/tenants.ts';

/** Numbers between 0 and 1, the same ones for the same seed (mulberry32). */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A document as Postgres would write it, and what must become of it. */
interface Made {
  readonly text: string;
  readonly kept: unknown;
}

function makeDocument(random: () => number, depth = 0): Made {
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const kinds = depth > 3 ? 4 : 6;
  const kind = upTo(kinds);
  if (kind === 0) return makeNumber(random);
  if (kind === 1 || kind === 2) return makeText(random);
  if (kind === 3) {
    const [text, kept] = (
      [
        ['null', null],
        ['true', true],
        ['false', false],
      ] as const
    )[upTo(3)] ?? ['null', null];
    return { text, kept };
  }
  const items = Array.from({ length: upTo(5) }, () => makeDocument(random, depth + 1));
  if (kind === 4) return { text: `[${items.map(({ text }) => text).join(', ')}]`, kept: items.map(({ kept }) => kept) };
  const entries = items.map((item, index) => ({ key: `${index}${JSON.parse(makeText(random).text)}`, item }));
  return {
    text: `{${entries.map(({ key, item }) => `${JSON.stringify(key)}: ${item.text}`).join(', ')}}`,
    kept: Object.fromEntries(entries.map(({ key, item }) => [key, item.kept])),
  };
}

function makeNumber(random: () => number): Made {
  const digits = (count: number): string =>
    Array.from({ length: count }, () => String(Math.floor(random() * 10))).join('');
  const whole = String(BigInt(digits(1 + Math.floor(random() * 78))));
  const fraction = random() < 0.3 ? `.${digits(1 + Math.floor(random() * 20))}` : '';
  const exponent = random() < 0.1 ? `e${random() < 0.5 ? '-' : '+'}${digits(2)}` : '';
  const text = `${random() < 0.3 && whole !== '0' ? '-' : ''}${whole}${fraction}${exponent}`;
  return { text, kept: text.length > 15 ? text : Number(text) };
}

/** Texts that look like numbers, end in backslashes, hold quotes, braces and whole documents. */
const PIECES = [
  '"',
  '\\',
  '\\"',
  '12345678901234567890',
  ': ',
  '{',
  '}',
  '[1, ',
  ',',
  '\n',
  '\u0000',
  '😀',
  '-0.5e9',
  'x',
  ' ',
];

function makeText(random: () => number): Made {
  const length = Math.floor(random() * 6);
  const kept = Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)] ?? '').join('');
  return { text: JSON.stringify(kept), kept };
}

describe('numbers in JSON', () => {
  it.each([1, 2, 3, 4])('stay what they are, and so does everything else (seed %i)', (seed) => {
    const random = randomness(seed);
    for (let round = 0; round < 500; round += 1) {
      const { text, kept } = makeDocument(random);
      expect(JSON.parse(keepExact(text))).toEqual(kept);
    }
  });

  it.each([
    ['123456789012345', '123456789012345'],
    ['1234567890123456', '"1234567890123456"'],
    ['-9007199254740993', '"-9007199254740993"'],
    ['[1, 0.1234567890123456789]', '[1, "0.1234567890123456789"]'],
    ['"12345678901234567890"', '"12345678901234567890"'],
    ['"a\\"12345678901234567890"', '"a\\"12345678901234567890"'],
    ['"\\\\" 12345678901234567890', '"\\\\" "12345678901234567890"'],
    ['{"12345678901234567890": 1}', '{"12345678901234567890": 1}'],
    ['', ''],
  ])('%s become %s', (text, kept) => {
    expect(keepExact(text)).toBe(kept);
  });

  it('are found behind a text of any length', () => {
    for (const text of ['x'.repeat(2_000_000), '\\"'.repeat(200_000), '9'.repeat(2_000_000)]) {
      expect(keepExact(`["${text}", 1234567890123456]`)).toBe(`["${text}", "1234567890123456"]`);
    }
  });
});

describe('what is read through Prisma', () => {
  const LARGEST = 10n ** 78n - 1n;
  let house: TestDatabase;
  let database: Database;
  let tenant: Tenant;

  beforeAll(async () => {
    house = await freshDatabase();
    const { tenants } = await seedTenants(house.adminUrl, { tenants: 1, links: 1 });
    [tenant] = tenants as [Tenant];
    await withSession(house.adminUrl, (client) => client.query(`update payment_orders set due_units = ${LARGEST}`));
    database = openDatabase({
      url: house.gatewayUrl,
      max: 1,
      min: 0,
      statementTimeout: 30_000,
      idleInTransactionTimeout: 30_000,
    });
  });
  afterAll(async () => {
    await database.close();
    await house.drop();
  });

  it('is exact to 78 digits, however deep it stands', async () => {
    const { db } = database.as(memberScene(tenant));
    const flat = await db.paymentOrder.findFirstOrThrow();
    const nested = await db.organization.findFirstOrThrow({
      select: {
        paymentLinks: {
          select: { orders: { select: { dueUnits: true, headNumber: true, requiredConfirmations: true } } },
        },
      },
    });
    const [order] = nested.paymentLinks[0]?.orders ?? [];
    expect(flat.dueUnits.toFixed()).toBe(LARGEST.toString());
    expect(order?.dueUnits.toFixed()).toBe(LARGEST.toString());
    expect([order?.headNumber, order?.requiredConfirmations]).toEqual([100n, 2]);
  });

  it('keeps texts that look like numbers, in a JSON column, as texts, and numbers as numbers', async () => {
    const data = {
      digits: '12345678901234567890',
      units: LARGEST.toString(),
      nested: { list: ['1234567890123456.5', '-0', '"12345678901234567890"', '\\'] },
      '12345678901234567890': 1,
      number: 9007199254740991,
      fraction: 0.12345678901234568,
      large: 12 ** 30,
    };
    const scope = database.as(memberScene(tenant));
    const aggregateId = newId();
    await scope.transaction((tx) =>
      tx.event.createMany({
        data: {
          organizationId: tenant.organizationId,
          type: 'payment-link.created',
          aggregateType: 'payment-link',
          aggregateId,
          aggregateVersion: 1,
          actor: `user:${tenant.people.OWNER.userId}`,
          data,
          metadata: {},
        },
      }),
    );
    expect((await scope.db.event.findFirstOrThrow({ where: { aggregateId } })).data).toEqual(data);
    const raw = await scope.db.$queryRaw<[{ data: unknown }]>`
      select data from events where aggregate_id = ${aggregateId}::uuid`;
    expect(raw[0].data).toEqual(data);
  });
});
