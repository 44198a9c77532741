import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { codeOf } from '../identity/visitor.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { invite, revoke } from './inviter.ts';
import { adminSql, tokenOf } from './memberChanges.ts';
import { giveRole, makeRole, rowIdOf } from './roleMaker.ts';

let house: TestTollhouse;
let world: World;
let tenant: Tenant;

beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 1 });
});
afterAll(() => house.stop());
beforeEach(async () => {
  [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
});

const tokenFor = (role: TenantRole, of = tenant): Promise<string> => tokenOf(house, of, role);
const wallet = (digit: string): string => `0x${digit.repeat(40)}`;

interface Listed {
  readonly code: string;
  readonly ids: readonly string[];
  readonly statuses: readonly string[];
  readonly next: string | null;
}

async function list(filter: object | null, token?: string, page: object = { first: 100 }): Promise<Listed> {
  const answer = await house.ask<{
    organization: {
      invitations: { edges: { node: { id: string; status: string } }[]; pageInfo: { endCursor: string | null } };
    };
  }>(
    `query ($filter: InvitationFilter, $first: Int, $last: Int, $after: String) { organization {
       invitations(filter: $filter, first: $first, last: $last, after: $after) {
         edges { node { id status } } pageInfo { endCursor }
       }
     } }`,
    { filter, ...page },
    { token: token ?? (await tokenFor('OWNER')) },
  );
  const found = answer.data?.organization.invitations;
  return {
    code: codeOf(answer),
    ids: found?.edges.map(({ node }) => node.id) ?? [],
    statuses: found?.edges.map(({ node }) => node.status) ?? [],
    next: found?.pageInfo.endCursor ?? null,
  };
}

/** Four, the oldest first: pending to a wallet as MEMBER, pending by mail as ADMIN, revoked, and expired to a custom role. */
async function four(): Promise<{ readonly ids: readonly string[]; readonly roleId: string }> {
  const owner = await tokenFor('OWNER');
  const roleId = await makeRole(house, tenant, ['payments:read']);
  const ids: string[] = [];
  for (const input of [
    { address: wallet('a'), role: 'MEMBER' },
    { email: 'deputy@harbour.example', role: 'ADMIN' },
    { address: wallet('b'), role: 'MEMBER' },
    { address: wallet('c'), roleId },
  ]) {
    const { code, data } = await invite(house, owner, input);
    if (!data) throw new Error(`Nobody was invited: ${code}`);
    ids.push(data.invitation.id);
  }
  await revoke(house, owner, { id: ids[2] });
  await adminSql(
    house,
    `update invitations set expires_at = now() - interval '1 second', created_at = created_at - interval '1 day'
     where id = $1`,
    [rowIdOf(ids[3] ?? '')],
  );
  // by its time it is the oldest now
  return { ids: [ids[3] ?? '', ids[0] ?? '', ids[1] ?? '', ids[2] ?? ''], roleId };
}

describe('the list of invitations', () => {
  it('narrows down by status, role, words and time, the newest first', async () => {
    const { ids, roleId } = await four();
    const [expired, plain, mailed, revoked] = ids as [string, string, string, string];
    expect(await list(null)).toMatchObject({ code: 'OK', ids: [revoked, mailed, plain, expired] });
    const cases: readonly (readonly [object, readonly string[]])[] = [
      [{ status: 'PENDING' }, [mailed, plain]],
      [{ status: 'REVOKED' }, [revoked]],
      [{ status: 'EXPIRED' }, [expired]],
      [{ status: 'ACCEPTED' }, []],
      [{ role: 'ADMIN' }, [mailed]],
      [{ role: 'OWNER' }, []],
      [{ role: 'MEMBER', status: 'PENDING' }, [plain]],
      [{ roleId }, [expired]],
      [{ roleId, status: 'PENDING' }, []],
      [{ roleId: encodeGlobalId('Role', newId()) }, []],
      [{ roleId: 'x' }, []],
      [{ text: 'HARBOUR' }, [mailed]],
      [{ text: wallet('B') }, [revoked]],
      [{ text: '%' }, []],
      [{ text: ' ' }, [revoked, mailed, plain, expired]],
    ];
    for (const [filter, wanted] of cases) {
      expect([filter, await list(filter)]).toMatchObject([filter, { code: 'OK', ids: wanted }]);
    }
    const [{ moment = '' } = {}] = await adminSql<{ moment: string }>(
      house,
      `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as moment
       from invitations where id = $1`,
      [rowIdOf(plain)],
    );
    expect((await list({ createdBefore: moment })).ids).toEqual([expired]);
    expect((await list({ createdFrom: moment })).ids).toEqual([revoked, mailed, plain]);
    expect((await list({ createdFrom: moment, createdBefore: moment })).ids).toEqual([]);
    expect((await list({ text: 'a\u0000' })).code).toBe('BAD_USER_INPUT');
  });

  it('goes on behind a cursor within its filter, and backwards', async () => {
    const { ids } = await four();
    const [, plain, mailed] = ids;
    const first = await list({ status: 'PENDING' }, undefined, { first: 1 });
    expect(first.ids).toEqual([mailed]);
    expect((await list({ status: 'PENDING' }, undefined, { first: 1, after: first.next })).ids).toEqual([plain]);
    expect((await list({ status: 'PENDING' }, undefined, { last: 1 })).ids).toEqual([plain]);
  });

  it('says of each what the filter says, by the database’s clock', async () => {
    const { ids } = await four();
    expect((await list(null)).statuses).toEqual(['REVOKED', 'PENDING', 'PENDING', 'EXPIRED']);
    const node = async (id: string | undefined): Promise<unknown> =>
      (
        await house.ask<{ node: unknown }>(
          'query ($id: ID!) { node(id: $id) { ... on Invitation { status } } }',
          { id },
          { token: await tokenFor('OWNER') },
        )
      ).data?.node;
    expect(await Promise.all(ids.map(node))).toEqual([
      { status: 'EXPIRED' },
      { status: 'PENDING' },
      { status: 'PENDING' },
      { status: 'REVOKED' },
    ]);
  });

  it('is empty for whoever may not read members, and shows no other organization’s', async () => {
    const { ids } = await four();
    expect((await list(null, await tokenFor('MEMBER'))).ids).toHaveLength(ids.length);
    await giveRole(house, tenant, ['payments:read']);
    expect(await list({ status: 'PENDING' }, await tokenFor('MEMBER'))).toMatchObject({ code: 'OK', ids: [] });
    const [other] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
    expect(await list({ text: 'harbour' }, await tokenFor('OWNER', other))).toMatchObject({ code: 'OK', ids: [] });
  });
});
