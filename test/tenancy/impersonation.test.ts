import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter } from '../../src/database/scene.ts';
import type { Transaction } from '../../src/database/scope.ts';
import { withSession } from '../../src/database/session.ts';
import { createLog } from '../../src/gateway/log.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { act, codesOf, eventsOf, idOf, makeOperator, operatorCommand, recordsOf, rowsOf } from './operatorHouse.ts';

let tollhouse: TestTollhouse;
let operator: Person;
let one: Tenant;
let other: Tenant;
const lines: string[] = [];

beforeAll(async () => {
  tollhouse = await startTollhouse({ log: createLog('info', { write: (line) => void lines.push(line) }) });
  operator = await signIn(tollhouse);
  const { tenants } = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [one, other] = tenants as [Tenant, Tenant];
  await makeOperator(tollhouse, operator);
});
afterAll(() => tollhouse.stop());

const globalId = ({ organizationId }: Tenant): string => encodeGlobalId('Organization', organizationId);

/** Looks into an organization; answers the token. */
async function lookInto(tenant: Tenant, reason = 'a question'): Promise<string> {
  const organizationId = globalId(tenant);
  const asked = { token: operator.accessToken, deed: 'impersonate', organizationId, reason } as const;
  const { data, errors } = await act(tollhouse, asked);
  expect(errors).toEqual([]);
  return (data as unknown as { impersonate: { accessToken: string } }).impersonate.accessToken;
}

/** What the token stands for. */
async function newestAction({ organizationId }: Tenant): Promise<string> {
  const [row] = await rowsOf(
    tollhouse,
    'select id from operator_actions where organization_id = $1 order by created_at desc, id desc limit 1',
    [organizationId],
  );
  return String(row?.id);
}

const ORGANIZATION = '{ organization { id name } }';

describe('an operator who looks into an organization', () => {
  it('reads what its members read, and is shown to be an operator', async () => {
    const token = await lookInto(one);
    const { data, errors } = await tollhouse.ask(
      `{
        viewer { role }
        operator { __typename }
        impersonation { organization { id name } action { deed reason operatorId expiresAt } }
        organization {
          name
          paymentLinks { edges { node { title orders { edges { node { status } } } } } }
          events(first: 20) { edges { node { type actor } } }
          operatorActions { edges { node { deed reason } } }
        }
      }`,
      {},
      { token },
    );
    expect(errors).toEqual([]);
    expect(data).toMatchObject({
      viewer: null,
      operator: null,
      impersonation: {
        organization: { id: globalId(one), name: one.marker },
        action: { deed: 'IMPERSONATE', reason: 'a question', operatorId: operator.userId },
      },
      organization: {
        name: one.marker,
        paymentLinks: { edges: [{}, {}, {}] },
        operatorActions: { edges: [{ node: { deed: 'IMPERSONATE', reason: 'a question' } }] },
      },
    });
  });

  it('reads that one alone, and nothing of its own either', async () => {
    const token = await lookInto(one);
    const [own] = await rowsOf(tollhouse, 'select id from identities where user_id = $1', [idOf(operator.userId)]);
    const ids = [
      globalId(other),
      operator.organizationId,
      operator.userId,
      encodeGlobalId('PaymentLink', other.links[0]?.id ?? ''),
      encodeGlobalId('Wallet', String(own?.id)),
      encodeGlobalId('Wallet', one.people.OWNER.identityId),
      encodeGlobalId('Session', one.people.OWNER.sessionId),
    ];
    const { data, errors } = await tollhouse.ask(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      { ids: [...ids, globalId(one), encodeGlobalId('PaymentLink', one.links[0]?.id ?? '')] },
      { token },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      nodes: [
        ...ids.map(() => null),
        { id: globalId(one) },
        { id: encodeGlobalId('PaymentLink', one.links[0]?.id ?? '') },
      ],
    });
  });

  it.each([
    ['a deed', 'mutation { updateOrganization(input: { name: "Mine" }) { replayed } }'],
    ['another session', `mutation { switchOrganization(input: { organizationId: "x" }) { accessToken } }`],
    [
      'a fresh proof',
      'mutation { createWalletChallenge(input: { purpose: STEP_UP, address: "0x0000000000000000000000000000000000000001" }) { challenge { nonce } } }',
    ],
    ['a look into another', `mutation { impersonate(input: { organizationId: "x", reason: "x" }) { accessToken } }`],
    [
      'an order, as payers make them',
      'mutation { createPaymentOrder(input: { slug: "x" }) { checkoutOrder { token } } }',
    ],
  ])('asks for %s in vain', async (_, mutation) => {
    const { status, errors, data } = await tollhouse.ask(mutation, {}, { token: await lookInto(one) });
    expect([status, data, errors.map(({ extensions }) => extensions.code)]).toEqual([
      403,
      null,
      ['IMPERSONATION_READ_ONLY'],
    ]);
  });

  it('opens no stream', async () => {
    const token = await lookInto(one);
    const response = await fetch(tollhouse.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: 'subscription { viewerChanged { __typename } }' }),
    });
    expect(await response.text()).toContain('IMPERSONATION_READ_ONLY');
  });

  describe('in its scene, whatever the statement', () => {
    const inScene = async <Result>(run: (tx: Transaction) => Promise<Result>): Promise<Result> => {
      await lookInto(one);
      const { organizationId } = one;
      const impersonationId = await newestAction(one);
      const scene = { kind: 'impersonation', requestId: newId(), impersonationId, organizationId } as const;
      return tollhouse.resources.database.as(scene).transaction(run);
    };

    it.each([
      'update organizations set name = $$Mine$$',
      "insert into handles (kind, value_hash, organization_id, target_id) values ('payment-link', 'x', uuid_v7(), uuid_v7())",
      'delete from organization_domains',
      "update users set display_name = 'Mine'",
    ])('the database refuses to write: %s', async (statement) => {
      await expect(inScene((tx) => tx.$executeRawUnsafe(statement))).rejects.toMatchObject({
        code: 'IMPERSONATION_READ_ONLY',
      });
    });

    it.each(['set transaction read write', 'set transaction_read_only = off', 'set local transaction_read_only = off'])(
      'nothing makes it one that may: %s',
      async (statement) => {
        await expect(inScene((tx) => tx.$executeRawUnsafe(statement))).rejects.toThrow();
      },
    );

    it('no table can be written, and none shows a row of another tenant or a person who is no member', async () => {
      await lookInto(one);
      const { organizationId } = one;
      const impersonationId = await newestAction(one);
      const tables = await rowsOf(
        tollhouse,
        `select c.relname as name, exists (
           select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id'
         ) as tenants
         from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`,
      );
      expect(tables.length).toBeGreaterThan(20);
      const codes = new Set<string>();
      const foreign: string[] = [];
      await withSession(tollhouse.database.gatewayUrl, async (client) => {
        const { text, values } = enter({ kind: 'impersonation', requestId: newId(), impersonationId, organizationId });
        await client.query('begin');
        await client.query(text, [...values]);
        const attempt = async (statement: string): Promise<number> => {
          await client.query('savepoint attempt');
          const answer = await client.query(statement).catch((error: { code: string }) => error);
          await client.query('rollback to savepoint attempt');
          if ('rowCount' in answer) return answer.rowCount ?? 0;
          codes.add(answer.code);
          return 0;
        };
        for (const { name, tenants } of tables) {
          if (tenants && (await attempt(`select from ${name} where organization_id <> '${organizationId}'`)) > 0) {
            foreign.push(String(name));
          }
          for (const write of [`insert into ${name} default values`, `delete from ${name}`, `truncate ${name}`]) {
            expect([write, await attempt(write)]).toEqual([write, 0]);
          }
        }
        expect(await attempt('select id from organizations')).toBe(1);
        expect(await attempt('select id from users')).toBe(3);
        expect(await attempt('select id from identities')).toBe(0);
        expect(await attempt('select id from sessions')).toBe(0);
      });
      expect(foreign).toEqual([]);
      // not granted, or only to be read
      expect(codes).toEqual(new Set(['42501', '25006']));
    });

    it('it is a member without a user, who may read', async () => {
      const [row] = await inScene(
        (tx) => tx.$queryRaw<Record<string, unknown>[]>`
          select
            current_user::text as role, current_user_id() as "userId", current_session_id() as "sessionId",
            current_setting('transaction_read_only') as "readOnly", current_setting('app.permissions') as permissions`,
      );
      expect(row).toMatchObject({ role: 'tollhouse_member', userId: null, sessionId: null, readOnly: 'on' });
      const permissions = String(row?.permissions).split(' ');
      expect(permissions).toContain('audit:read');
      expect(permissions.filter((permission) => !permission.endsWith(':read'))).toEqual([]);
    });
  });

  it('looks into a suspended one, too', async () => {
    const organizationId = globalId(other);
    const token = operator.accessToken;
    await act(tollhouse, { token, deed: 'suspendOrganization', organizationId });
    const looked = await tollhouse.ask(ORGANIZATION, {}, { token: await lookInto(other) });
    expect(looked.data).toMatchObject({ organization: { name: other.marker } });
    await act(tollhouse, { token, deed: 'restoreOrganization', organizationId });
  });
});

describe('each look', () => {
  it('is on record and told in the organization before anything is read, and in no other', async () => {
    const before = [await recordsOf(tollhouse, globalId(other)), await eventsOf(tollhouse, globalId(other))];
    const records = await recordsOf(tollhouse, globalId(one));
    const events = await eventsOf(tollhouse, globalId(one));
    await lookInto(one, 'a ticket');
    expect(await recordsOf(tollhouse, globalId(one))).toEqual([...records, 'IMPERSONATE a ticket']);
    expect(await eventsOf(tollhouse, globalId(one))).toEqual([...events, 'organization.impersonated']);
    expect([await recordsOf(tollhouse, globalId(other)), await eventsOf(tollhouse, globalId(other))]).toEqual(before);
    const [told] = await rowsOf(
      tollhouse,
      `select actor, data, metadata from events where type = 'organization.impersonated' and organization_id = $1
       order by position desc limit 1`,
      [one.organizationId],
    );
    expect(told).toMatchObject({
      actor: `operator:${idOf(operator.userId)}`,
      data: { reason: 'a ticket', actionId: await newestAction(one) },
    });
    const { metadata } = told as { metadata: object };
    expect(Object.keys(metadata).sort()).toEqual(['correlationId', 'requestId', 'source']);
  });

  it('leaves its operator and its record in the log’s line of each request, as nobody else’s does', async () => {
    const token = await lookInto(one);
    const { headers } = await tollhouse.ask(ORGANIZATION, {}, { token });
    const own = await tollhouse.ask(ORGANIZATION, {}, { token: operator.accessToken });
    const lineOf = async (requestId: string | null): Promise<unknown> => {
      const find = (): string | undefined => lines.find((line) => JSON.parse(line).requestId === requestId);
      while (!find()) await setTimeout(5);
      return JSON.parse(find() ?? '');
    };
    const looked = { operator: idOf(operator.userId), impersonation: await newestAction(one) };
    expect(await lineOf(headers.get('x-request-id'))).toMatchObject(looked);
    const line = await lineOf(own.headers.get('x-request-id'));
    expect(line).not.toHaveProperty('operator');
    expect(line).not.toHaveProperty('impersonation');
  });

  const ended = async (token: string): Promise<string[]> => codesOf(await tollhouse.ask(ORGANIZATION, {}, { token }));

  it('ends in time, by the database’s clock as well as by the token’s', async () => {
    const token = await lookInto(one);
    expect(await ended(token)).toEqual([]);
    await rowsOf(
      tollhouse,
      `update operator_actions
       set created_at = created_at - interval '1 hour', expires_at = expires_at - interval '1 hour'
       where id = $1`,
      [await newestAction(one)],
    );
    expect(await ended(token)).toEqual(['UNAUTHENTICATED']);
    await expect(
      rowsOf(tollhouse, "update operator_actions set expires_at = created_at + interval '11 minutes' where id = $1", [
        await newestAction(one),
      ]),
    ).rejects.toThrow('operator_actions_expires_at_check');
  });

  it('ends with the grant, and with the session that it was begun in', async () => {
    const { address } = operator.account;
    const first = await lookInto(one);
    await operatorCommand(tollhouse.database, 'revoke', '--wallet', address, '--reason', 'left');
    expect(await ended(first)).toEqual(['UNAUTHENTICATED']);
    await makeOperator(tollhouse, operator);
    const second = await lookInto(one);
    expect(await ended(second)).toEqual([]);
    await tollhouse.ask('mutation { signOut { signedOut } }', {}, { token: operator.accessToken });
    expect(await ended(second)).toEqual(['UNAUTHENTICATED']);
    operator = await signIn(tollhouse, operator.account);
  });

  it('is no session, and a session is no look: neither id is good for the other', async () => {
    const { tokens } = tollhouse.resources;
    await lookInto(one);
    const { organizationId, people } = one;
    const userId = idOf(operator.userId);
    const asSession = await tokens.issue({ sessionId: await newestAction(one), userId, organizationId });
    expect(await ended(asSession.token)).toEqual(['UNAUTHENTICATED']);
    const asLook = await tokens.issue({ ...people.OWNER, organizationId, impersonates: true });
    expect(await ended(asLook.token)).toEqual(['UNAUTHENTICATED']);
    const elsewhere = await tokens.issue({
      sessionId: await newestAction(one),
      userId,
      organizationId: other.organizationId,
      impersonates: true,
    });
    expect(await ended(elsewhere.token)).toEqual(['UNAUTHENTICATED']);
    expect(await ended((await tokens.issue({ ...people.OWNER, organizationId })).token)).toEqual([]);
  });
});
