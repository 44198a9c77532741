import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outbox } from '../../src/identity/providers/outbox.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { purgeOrganizations } from '../../src/tenancy/jobs.ts';
import { mutate } from '../identity/linker.ts';
import { join, merge, ticketFor } from '../identity/merger.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { accept, invitationsOf, invite, revoke, tokenFor } from './inviter.ts';
import { remove, restore } from './leavers.ts';
import { leave } from './memberChanges.ts';
import { createRole, deleteRole, updateRole } from './roleMaker.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const KEEPER = ['members:read', 'members:write', 'events:read'];
const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;
const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);

async function roleOf(owner: SignedIn, name: string, permissions: readonly string[]): Promise<string> {
  const { code, data } = await createRole(house, owner.accessToken, { name, permissions });
  if (!data) throw new Error(`No role: ${code}`);
  return data.role.id;
}

/** Where somebody stands in the other's organization: the built-in role, the custom one's name, and the status. */
async function placeOf(person: SignedIn, owner: SignedIn): Promise<unknown> {
  const [row] = await sql(
    house,
    `select m.role, r.name, m.status
     from memberships m left join roles r on r.organization_id = m.organization_id and r.id = m.role_id
     where m.organization_id = $1 and m.user_id = $2`,
    [rowId(homeOf(owner)), userOf(person)],
  );
  return row;
}

/** Puts somebody into the owner's organization, with this role of it. */
async function joinAs(person: SignedIn, owner: SignedIn, roleId: string): Promise<void> {
  await join(house, person, homeOf(owner), 'MEMBER');
  await sql(house, 'update memberships set role_id = $3 where organization_id = $1 and user_id = $2', [
    rowId(homeOf(owner)),
    userOf(person),
    rowId(roleId),
  ]);
}

/** A session that works in the owner's organization. */
async function tokenIn(person: SignedIn, owner: SignedIn): Promise<string> {
  const input = { organizationId: homeOf(owner) };
  const { data } = await mutate<{ accessToken: string }>(
    house,
    person.accessToken,
    'switchOrganization',
    input,
    'accessToken',
  );
  return data?.accessToken ?? '';
}

describe('an invitation to a custom role', () => {
  it('makes a member who has it, once it is accepted', async () => {
    const wallet = newWallet();
    const [owner, guest] = [await enterHouse(house), await enterHouse(house, wallet)];
    const roleId = await roleOf(owner, 'Cashier', ['payments:read']);
    const made = await invite(house, owner.accessToken, { address: wallet.address, roleId });
    expect(made).toMatchObject({ code: 'OK', data: { invitation: { role: 'MEMBER' } } });
    const { data } = await house.ask<{ viewer: { invitations: unknown[] } }>(
      '{ viewer { invitations { role customRoleName } } }',
      {},
      { token: guest.accessToken },
    );
    expect(data?.viewer.invitations).toEqual([{ role: 'MEMBER', customRoleName: 'Cashier' }]);
    const [{ id = '' } = {}] = await invitationsOf(house, guest.accessToken);
    expect((await accept(house, guest.accessToken, { id })).code).toBe('OK');
    expect(await placeOf(guest, owner)).toEqual({ role: 'MEMBER', name: 'Cashier', status: 'ACTIVE' });
    const told = await sql(
      house,
      `select data from events where organization_id = $1 and type in ('invitation.created', 'membership.added')
       order by position`,
      [rowId(homeOf(owner))],
    );
    expect(told.map(({ data }) => (data as { roleId?: string }).roleId)).toEqual([rowId(roleId), rowId(roleId)]);
  });

  it('is named in the mail', async () => {
    const owner = await enterHouse(house);
    const roleId = await roleOf(owner, 'Night Cashier', ['payments:read']);
    const email = 'cashier@example.org';
    expect((await invite(house, owner.accessToken, { email, roleId })).code).toBe('OK');
    expect(tokenFor(house, email)).toMatch(/^th_iv_/);
    const { mails } = house.resources.mailSender as Outbox;
    expect(mails.find(({ to }) => to === email)?.text).toContain("as 'Night Cashier'");
  });

  it('is void when whoever invited may not give the role any more', async () => {
    const wallet = newWallet();
    const [owner, keeper] = [await enterHouse(house), await enterHouse(house)];
    const guest = await enterHouse(house, wallet);
    const [own, given] = [
      await roleOf(owner, 'Keeper', [...KEEPER, 'payments:read']),
      await roleOf(owner, 'Cashier', ['payments:read']),
    ];
    await joinAs(keeper, owner, own);
    const token = await tokenIn(keeper, owner);
    const above = await roleOf(owner, 'Deputy', ['organization:read', 'organization:write', 'events:read']);
    expect((await invite(house, token, { address: wallet.address, roleId: above })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await invite(house, token, { address: wallet.address, role: 'ADMIN' })).code).toBe('ROLE_ABOVE_YOURS');
    const made = await invite(house, token, { address: wallet.address, roleId: given });
    expect(made.code).toBe('OK');
    const id = made.data?.invitation.id ?? '';
    const permit = (roleId: string, permissions: readonly string[]) =>
      updateRole(house, owner.accessToken, { id: roleId, permissions });
    await permit(own, KEEPER);
    expect((await accept(house, guest.accessToken, { id })).code).toBe('INVITATION_VOID');
    await permit(own, [...KEEPER, 'payments:read']);
    await permit(given, ['payments:read', 'audit:read']);
    expect((await accept(house, guest.accessToken, { id })).code).toBe('INVITATION_VOID');
    expect((await revoke(house, token, { id })).code).toBe('ROLE_ABOVE_YOURS');
    await permit(given, ['payments:read']);
    expect((await accept(house, guest.accessToken, { id })).code).toBe('OK');
  });

  it('keeps the role from being deleted as long as it can be accepted', async () => {
    const owner = await enterHouse(house);
    const roleId = await roleOf(owner, 'Cashier', ['payments:read']);
    const { data } = await invite(house, owner.accessToken, { address: newWallet().address, roleId });
    expect((await deleteRole(house, owner.accessToken, { id: roleId })).code).toBe('ROLE_IN_USE');
    await revoke(house, owner.accessToken, { id: data?.invitation.id });
    expect((await deleteRole(house, owner.accessToken, { id: roleId })).code).toBe('OK');
  });

  it.each([[{}], [{ role: 'ADMIN', roleId: encodeGlobalId('Role', '00000000-0000-7000-8000-000000000000') }]])(
    'is a built-in role or a custom one: %j is refused',
    async (input) => {
      const owner = await enterHouse(house);
      const invited = { address: newWallet().address, ...input };
      expect((await invite(house, owner.accessToken, invited)).code).toBe('BAD_USER_INPUT');
    },
  );
});

describe('a custom role', () => {
  it('is gone from whoever has left, and not there when they come back', async () => {
    const wallet = newWallet();
    const [owner, cashier] = [await enterHouse(house), await enterHouse(house, wallet)];
    const roleId = await roleOf(owner, 'Cashier', ['payments:read']);
    await joinAs(cashier, owner, roleId);
    expect(await leave(house, await tokenIn(cashier, owner))).toBe('OK');
    expect(await placeOf(cashier, owner)).toEqual({ role: 'MEMBER', name: null, status: 'LEFT' });
    await invite(house, owner.accessToken, { address: wallet.address, role: 'MEMBER' });
    const [{ id = '' } = {}] = await invitationsOf(house, cashier.accessToken);
    expect((await accept(house, cashier.accessToken, { id })).code).toBe('OK');
    expect(await placeOf(cashier, owner)).toEqual({ role: 'MEMBER', name: null, status: 'ACTIVE' });
  });

  it.each([
    ['MEMBER', 'ADMIN', { role: 'MEMBER', name: 'Elder' }],
    ['ADMIN', 'MEMBER', { role: 'MEMBER', name: 'Younger' }],
    ['MEMBER', 'MEMBER', { role: 'MEMBER', name: 'Elder' }],
  ] as const)(
    'of two who are one, %s and %s, is that of the lower one, or of the survivor',
    async (elderRole, youngerRole, place) => {
      const wallet = newWallet();
      const [elder, younger, owner] = [
        await enterHouse(house),
        await enterHouse(house, wallet),
        await enterHouse(house),
      ];
      for (const [person, role, name] of [
        [elder, elderRole, 'Elder'],
        [younger, youngerRole, 'Younger'],
      ] as const) {
        const roleId = await roleOf(owner, name, ['payments:read']);
        if (role === 'MEMBER') await joinAs(person, owner, roleId);
        else await join(house, person, homeOf(owner), role);
      }
      expect((await merge(house, elder, await ticketFor(house, elder, wallet))).code).toBe('OK');
      expect(await placeOf(elder, owner)).toEqual({ ...place, status: 'ACTIVE' });
      expect(await placeOf(younger, owner)).toMatchObject({ name: null, status: 'LEFT' });
    },
  );

  it('comes back with its organization, and is gone with it when that is purged', async () => {
    const wallet = newWallet();
    const [owner, cashier] = [await enterHouse(house, wallet), await enterHouse(house)];
    const roleId = await roleOf(owner, 'Cashier', ['payments:read']);
    await joinAs(cashier, owner, roleId);
    await invite(house, owner.accessToken, { address: newWallet().address, roleId });
    expect((await remove(house, owner)).code).toBe('OK');
    const again = await enterHouse(house, wallet);
    expect((await restore(house, again, homeOf(owner))).code).toBe('OK');
    expect(await placeOf(cashier, owner)).toEqual({ role: 'MEMBER', name: 'Cashier', status: 'ACTIVE' });
    const back = { ...again, accessToken: await tokenIn(again, owner) };
    expect((await remove(house, back)).code).toBe('OK');
    const id = rowId(homeOf(owner));
    await sql(house, `update organizations set deleted_at = now() - interval '31 days' where id = $1`, [id]);
    const worker = {
      database: house.resources.database,
      log: pino({ level: 'silent' }),
      requestId: 'test-worker',
    };
    await purgeOrganizations(worker, { retentionDays: 30 });
    expect(await sql(house, 'select from roles where organization_id = $1', [id])).toEqual([]);
    expect(await placeOf(cashier, owner)).toEqual({ role: 'MEMBER', name: null, status: 'ACTIVE' });
  });
});
