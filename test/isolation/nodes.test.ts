import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { globalId, idPairsOf, ROWS } from './apiRows.ts';

let tollhouse: TestTollhouse;
let one: Tenant;
let other: Tenant;
let token: string;

beforeAll(async () => {
  tollhouse = await startTollhouse();
  const { tenants } = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [one, other] = tenants as [Tenant, Tenant];
  const { organizationId, people } = one;
  ({ token } = await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId }));
});
afterAll(() => tollhouse.stop());

describe('node and nodes', () => {
  const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on PaymentLink { title } } }';

  it('are null without an error for every id that names nothing one may see', async () => {
    const uuid = ROWS.PaymentLink?.(one) ?? '';
    const malformed = [
      '',
      'x',
      '%',
      '=',
      'null',
      uuid,
      Buffer.from(`PaymentLink:${uuid}`).toString('base64').padEnd(72, '='),
      Buffer.from(`PaymentLink:${uuid}:x`).toString('base64url'),
      Buffer.from(`PaymentLink:${uuid.toUpperCase()}`).toString('base64url'),
      Buffer.from(`PaymentLink: ${uuid}`).toString('base64url'),
      Buffer.from(`PaymentLink:' or 1=1 --`).toString('base64url'),
      ...[
        'Query',
        'Mutation',
        'Node',
        'String',
        'Nowhere',
        'paymentLink',
        '__Type',
        'Checkout',
        'Wallet',
        'Viewer',
      ].map((type) => encodeGlobalId(type, uuid)),
      'A'.repeat(5000),
      '😀',
    ];
    const ids = [...malformed, ...idPairsOf(other).flat()].slice(0, 100);
    const { data, errors } = await tollhouse.ask(NODES, { ids }, { token });
    expect(errors).toEqual([]);
    expect(data).toEqual({ nodes: ids.map(() => null) });
    for (const id of malformed) {
      const answer = await tollhouse.ask('query ($id: ID!) { node(id: $id) { id } }', { id }, { token });
      expect([id, answer.status, answer.data, answer.errors]).toEqual([id, 200, { node: null }, []]);
    }
  });

  it('keep the order of the ids, with nulls between and repetitions', async () => {
    const [first, second] = one.links.map(({ id }) => encodeGlobalId('PaymentLink', id));
    const ids = [second, globalId('PaymentLink', other), first, 'x', second, globalId('User', one)];
    const { data } = await tollhouse.ask<{ nodes: ({ id: string } | null)[] }>(NODES, { ids }, { token });
    expect(data?.nodes.map((node) => node?.id ?? null)).toEqual([second, null, first, null, second, ids[5]]);
  });

  it('do not know what was deleted', async () => {
    const [, , link] = one.links;
    const id = encodeGlobalId('PaymentLink', link?.id ?? '');
    const ask = async () => (await tollhouse.ask(NODES, { ids: [id] }, { token })).data;
    expect(await ask()).toMatchObject({ nodes: [{ id }] });
    await withSession(tollhouse.database.adminUrl, (client) =>
      client.query('update payment_links set deleted_at = now() where id = $1', [link?.id]),
    );
    expect(await ask()).toEqual({ nodes: [null] });
    const slug = await tollhouse.ask('query ($slug: String!) { checkout(slug: $slug) { title } }', {
      slug: link?.slug,
    });
    expect([slug.data, slug.errors]).toEqual([{ checkout: null }, []]);
  });

  it('take a hundred ids, and not one more', async () => {
    const ids = Array.from({ length: 100 }, () => encodeGlobalId('PaymentLink', newId()));
    expect((await tollhouse.ask(NODES, { ids }, { token })).data).toEqual({ nodes: ids.map(() => null) });
    expect((await tollhouse.ask(NODES, { ids: [] }, { token })).data).toEqual({ nodes: [] });
    const refused = await tollhouse.ask(NODES, { ids: [...ids, 'x'] }, { token });
    expect(refused.data).toBeNull();
    expect(refused.errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      facts: { argument: 'ids', actual: 101 },
    });
  });
});
