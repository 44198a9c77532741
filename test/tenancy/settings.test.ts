import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { sql } from '../identity/visitor.ts';
import { signIn } from '../support/person.ts';
import { change, look, openTwoTenants, type TwoTenants } from './changing.ts';

let tenants: TwoTenants;
beforeAll(async () => {
  tenants = await openTwoTenants();
});
afterAll(() => tenants.house.stop());

const rows = (text: string, ...values: unknown[]) => sql(tenants.house, text, values);
const owner = () => tenants.tokenOf(tenants.one);

/** The organization after a change, which is also what a query answers then. */
async function changed(...asked: [field: Parameters<typeof change>[2], input: object]) {
  const token = await owner();
  const { code, data } = await change(tenants.house, token, ...asked);
  expect(code).toBe('OK');
  expect(data?.organization).toEqual(await look(tenants.house, token));
  return data?.organization ?? {};
}

describe('every organization', () => {
  const COUNT = `select o.id from organizations o
    where (select count(*) from organization_settings s where s.organization_id = o.id) <> 1
       or (select count(*) from store_configurations c where c.organization_id = o.id) <> 1`;

  it('has settings and a store’s configuration from the moment that it is founded', async () => {
    const person = await signIn(tenants.house);
    expect(await look(tenants.house, person.accessToken)).toMatchObject({
      metadata: {},
      settings: { requireStepUp: false },
      storeConfiguration: { config: {}, theme: {}, layout: {}, features: {} },
    });
    expect(await rows(COUNT)).toEqual([]);
  });

  it.each(['organization_settings', 'store_configurations'])('has one row of %s, and no second', async (table) => {
    const columns = table === 'organization_settings' ? '' : ', config, theme, layout, features';
    const values = columns.replace(/\w+/g, "'{}'");
    await expect(
      rows(`insert into ${table} (organization_id${columns}) values ($1${values})`, tenants.one.organizationId),
    ).rejects.toMatchObject({ code: '23505' });
    expect(await rows(COUNT)).toEqual([]);
  });

  it('has them even when nobody thought of them', async () => {
    const id = newId();
    await rows(`insert into organizations (id, name, slug) values ($1, 'By hand', $2)`, id, `by-hand-${id}`);
    expect(await rows(COUNT)).toEqual([]);
  });
});

describe('updateOrganization', () => {
  it('changes what is given, each word in the spelling that it is kept in, and nothing else', async () => {
    expect(
      await changed('updateOrganization', {
        name: ' Tea house ',
        slug: ' tea-house ',
        description: 'Teas.\nAnd more.',
        contactEmail: ' tea@example.com ',
        address: '1 Leaf Lane\nTeatown',
        metadata: { vat: 'DE1', floor: 2, open: true },
      }),
    ).toMatchObject({
      name: 'Tea house',
      slug: 'tea-house',
      description: 'Teas.\nAnd more.',
      contactEmail: 'tea@example.com',
      address: '1 Leaf Lane\nTeatown',
      metadata: { vat: 'DE1', floor: 2, open: true },
    });
    expect(await changed('updateOrganization', { description: null, metadata: null })).toMatchObject({
      name: 'Tea house',
      slug: 'tea-house',
      description: null,
      contactEmail: 'tea@example.com',
      metadata: {},
    });
  });

  it.each([
    ['nothing', {}],
    ['no name', { name: null }],
    ['an empty name', { name: ' ' }],
    ['no slug', { slug: null }],
    ['a short slug', { slug: 'ab' }],
    ['a long slug', { slug: 'a'.repeat(61) }],
    ['a slug in upper case', { slug: 'Tea' }],
    ['a slug with two hyphens together', { slug: 'tea--house' }],
    ['a slug with a hyphen at its end', { slug: 'tea-' }],
    ['a reserved slug', { slug: 'admin' }],
    ['what is no e-mail address', { contactEmail: 'tea at example.com' }],
    ['a long e-mail address', { contactEmail: `${'a'.repeat(250)}@b.cd` }],
    ['metadata of two levels', { metadata: { a: { b: 1 } } }],
    ['metadata of too many keys', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, n])) }],
    ['metadata with a NUL', { metadata: { a: '\0' } }],
  ])('refuses %s', async (_, input) => {
    const before = await look(tenants.house, await owner());
    expect((await change(tenants.house, await owner(), 'updateOrganization', input)).code).toBe('BAD_USER_INPUT');
    expect(await look(tenants.house, await owner())).toEqual(before);
  });

  it('refuses a slug that another organization has, says nothing of whose, and takes it once that is deleted', async () => {
    const slug = `taken-${newId()}`;
    await rows('insert into organizations (name, slug) values ($1, $2)', 'Somebody', slug);
    const taken = await change(tenants.house, await owner(), 'updateOrganization', {
      slug,
      idempotencyKey: 'a-key-for-a-slug-that-is-taken',
    });
    expect(taken.code).toBe('SLUG_TAKEN');
    await rows('update organizations set deleted_at = now() where slug = $1', slug);
    expect(await changed('updateOrganization', { slug })).toMatchObject({ slug });
  });

  it('is done once for a key', async () => {
    const token = await owner();
    const idempotencyKey = newId();
    const input = { description: 'Once.', idempotencyKey };
    const [first, again] = [
      await change(tenants.house, token, 'updateOrganization', input),
      await change(tenants.house, token, 'updateOrganization', input),
    ];
    expect([first.data?.replayed, again.data?.replayed]).toEqual([false, true]);
    const other = await change(tenants.house, token, 'updateOrganization', { ...input, description: 'Twice.' });
    expect(other.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('is told and audited, each change after the one before, however many come at once', async () => {
    const token = await owner();
    const { organizationId, people } = tenants.one;
    const facts = () =>
      rows(
        `select aggregate_version as version, actor, data from events
         where organization_id = $1 and type = 'organization.updated' order by aggregate_version`,
        organizationId,
      );
    const before = await facts();
    const names = Array.from({ length: 8 }, (_, index) => `Name ${index}`);
    const codes = await Promise.all(
      names.map((name) => change(tenants.house, token, 'updateOrganization', { name }).then(({ code }) => code)),
    );
    expect(new Set(codes)).toEqual(new Set(['OK']));
    const after = await facts();
    expect(after.map(({ version }) => version)).toEqual(after.map((_, index) => index + 1));
    expect(after.slice(before.length)).toEqual(
      names.map((_, index) => ({
        version: before.length + index + 1,
        actor: `user:${people.OWNER.userId}`,
        data: { fields: 'name' },
      })),
    );
    const audited = await rows(
      `select after ->> 'name' as name from audit_entries
       where organization_id = $1 and table_name = 'organizations' and verb = 'UPDATE' and after ->> 'name' like 'Name %'`,
      organizationId,
    );
    expect(audited.map(({ name }) => name).sort()).toEqual(names);
  });
});

describe('updateStoreConfiguration', () => {
  it('replaces the parts that are given, and leaves the others', async () => {
    const layout = { home: [{ block: 'hero', rows: [1, 2, null] }], footer: { links: [] } };
    expect(await changed('updateStoreConfiguration', { layout, features: { tips: true, dark: false } })).toMatchObject({
      storeConfiguration: { config: {}, theme: {}, layout, features: { tips: true, dark: false } },
    });
    expect(
      await changed('updateStoreConfiguration', { theme: { colour: 'red', radius: 1.5 }, features: null }),
    ).toMatchObject({
      storeConfiguration: { config: {}, theme: { colour: 'red', radius: 1.5 }, layout, features: {} },
    });
  });

  const nested = (levels: number): object => (levels === 0 ? {} : { in: nested(levels - 1) });

  it('takes documents of five levels and 16 KB, as many as the database takes', async () => {
    // commas get a space behind them where the database measures
    const layout = { ...nested(5), rows: Array.from({ length: 8_000 }, () => 1) };
    expect(await changed('updateStoreConfiguration', { layout })).toMatchObject({ storeConfiguration: { layout } });
  });

  it.each([
    ['nothing', {}],
    ['a text', { layout: 'x' }],
    ['a list', { layout: [] }],
    ['six levels', { config: nested(6) }],
    ['more than 16 KB', { layout: { text: 'x'.repeat(16_384) } }],
    ['a NUL', { layout: { text: ['\0'] } }],
    ['half a character', { config: { '\ud800': 1 } }],
    ['a number of three hundred digits', { config: { much: 1e300 } }],
    ['a theme of two levels', { theme: { colours: {} } }],
    ['a feature that is not switched', { features: { tips: 'yes' } }],
  ])('refuses %s', async (_, input) => {
    const before = await look(tenants.house, await owner());
    const { code } = await change(tenants.house, await owner(), 'updateStoreConfiguration', input);
    expect(code).toMatch(/^(BAD_USER_INPUT|BAD_REQUEST)$/);
    expect(await look(tenants.house, await owner())).toEqual(before);
  });

  it.each([
    ['config', '[]'],
    ['config', JSON.stringify(nested(6))],
    ['layout', JSON.stringify({ a: 'x'.repeat(40_000) })],
    ['theme', '{"a": {}}'],
    ['features', '{"a": 1}'],
  ])('is held to the same rules by the database (%s, %#)', async (column, value) => {
    await expect(rows(`update store_configurations set ${column} = $1`, value)).rejects.toMatchObject({
      code: '23514',
    });
  });
});

describe('changing an organization', () => {
  const CHANGES = [
    ['updateOrganization', { name: 'Mine now' }],
    ['updateOrganizationSettings', { requireStepUp: true }],
    ['updateStoreConfiguration', { theme: { colour: 'black' } }],
  ] as const;

  it.each(CHANGES)('is refused to whoever may not write it, and to nobody: %s', async (field, input) => {
    const before = await look(tenants.house, await owner());
    for (const role of ['ADMIN', 'MEMBER'] as const) {
      const { code } = await change(tenants.house, await tenants.tokenOf(tenants.one, role), field, input);
      expect(code).toBe('FORBIDDEN');
    }
    expect((await change(tenants.house, undefined, field, input)).code).toBe('UNAUTHENTICATED');
    expect(await look(tenants.house, await owner())).toEqual(before);
  });

  it.each(CHANGES)('changes no other organization: %s', async (field, input) => {
    const before = await look(tenants.house, await owner());
    const theirs = await tenants.tokenOf(tenants.other);
    expect((await change(tenants.house, theirs, field, input)).code).toBe('OK');
    expect(await look(tenants.house, await owner())).toEqual(before);
  });

  it('shows settings to all members, and to nobody of another organization that they belong to', async () => {
    const member = await tenants.tokenOf(tenants.one, 'MEMBER');
    expect(await look(tenants.house, member)).toMatchObject({ settings: { requireStepUp: false } });
    await rows(
      `insert into memberships (organization_id, user_id, role) values ($1, $2, 'OWNER')`,
      tenants.other.organizationId,
      tenants.one.people.MEMBER.userId,
    );
    const { data } = await tenants.house.ask<{ viewer: { memberships: { organization: object }[] } }>(
      '{ viewer { memberships { organization { name settings { requireStepUp } storeConfiguration { theme } } } } }',
      {},
      { token: member },
    );
    expect(data?.viewer.memberships.map(({ organization }) => organization)).toEqual([
      expect.objectContaining({ settings: { requireStepUp: false } }),
      expect.objectContaining({ settings: null, storeConfiguration: null }),
    ]);
  });
});
