import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { mutate } from '../identity/linker.ts';
import { join, merge, ticketFor } from '../identity/merger.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql, type Wallet } from '../identity/visitor.ts';
import type { Person } from '../support/person.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { accept, invite, tokenFor } from './inviter.ts';
import { membershipOf, tokenOf } from './memberChanges.ts';
import { enterOperator, makeLink, subscribe, subscriptionOf } from './subscriber.ts';

const MANY = 50;
const MOST = 7;

let house: TestTollhouse;
let world: World;
let tenant: Tenant;
let other: Tenant;
let operator: Person;
beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 1 });
  operator = await enterOperator(house);
});
afterAll(() => house.stop());
beforeEach(async () => {
  [tenant, other] = (await seedTenants(house.database.adminUrl, { tenants: 2, world })).tenants as [Tenant, Tenant];
});

const asRole = (role: TenantRole = 'OWNER'): Promise<string> => tokenOf(house, tenant, role);
const countOf = (codes: readonly string[], code: string): number => codes.filter((each) => each === code).length;

async function limit(input: object): Promise<void> {
  const { code } = await subscribe(house, operator.accessToken, tenant, { tier: 'TEAM', ...input });
  expect(code).toBe('OK');
}

describe('payment links', () => {
  const linksOf = async ({ organizationId }: Tenant): Promise<unknown> => {
    const [row] = await sql(
      house,
      `select count(*)::int as links from payment_links
       where organization_id = $1 and status <> 'ARCHIVED' and deleted_at is null`,
      [organizationId],
    );
    return row?.links;
  };

  it('are exactly so many when many are made at one instant, and each organization’s for itself', async () => {
    await limit({ maxLinks: MOST });
    const made = { token: await asRole(), tenant, world };
    await sql(house, `update payment_links set status = 'ARCHIVED' where organization_id = $1`, [
      tenant.organizationId,
    ]);
    const others = { token: await tokenOf(house, other, 'OWNER'), tenant: other, world };
    const [codes, free] = await Promise.all([
      Promise.all(Array.from({ length: MANY }, () => makeLink(house, made).then(({ code }) => code))),
      Promise.all(Array.from({ length: 10 }, () => makeLink(house, others).then(({ code }) => code))),
    ]);
    expect([countOf(codes, 'OK'), countOf(codes, 'LINK_LIMIT_REACHED')]).toEqual([MOST, MANY - MOST]);
    expect(await linksOf(tenant)).toBe(MOST);
    expect(countOf(free, 'OK')).toBe(10);
    // nothing of a refused one is left
    const [left] = await sql(
      house,
      `select
         (select count(*)::int from handles where organization_id = $1 and kind = 'payment-link') as handles,
         (select count(*)::int from payment_link_accepts where organization_id = $1) as accepts,
         (select count(*)::int from events where organization_id = $1 and type = 'payment-link.created') as told`,
      [tenant.organizationId],
    );
    const each = MOST + tenant.links.length;
    expect(left).toEqual({ handles: each, told: each, accepts: each });
  });

  it('are told how many there may be, and a refusal is not kept for a key', async () => {
    await limit({ maxLinks: 3 });
    const token = await asRole();
    const idempotencyKey = `a-key-of-${newId()}`;
    const { errors } = await house.ask<object>(
      'mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { id } } }',
      {
        input: {
          title: 'Lunch',
          accepts: [{ asset: world.coin.caip19, amount: '1', payTo: tenant.people.OWNER.address }],
          idempotencyKey,
        },
      },
      { token },
    );
    expect(errors.map(({ extensions }) => [extensions.code, extensions.retryable, extensions.facts])).toEqual([
      ['LINK_LIMIT_REACHED', false, { most: 3 }],
    ]);
    await limit({ maxLinks: 4 });
    expect((await makeLink(house, { token, tenant, world }, { idempotencyKey })).code).toBe('OK');
    // the key is used, whatever the limit says now
    await limit({ maxLinks: 1 });
    expect(await makeLink(house, { token, tenant, world }, { idempotencyKey })).toMatchObject({
      code: 'OK',
      data: { replayed: true },
    });
  });

  it('that are archived or deleted make room, and come back only where there is some', async () => {
    await limit({ maxLinks: 3 });
    const made = { token: await asRole(), tenant, world };
    const [first, second] = tenant.links;
    const change = (set: string, id: string | undefined) =>
      sql(house, `update payment_links set ${set} where organization_id = $1 and id = $2`, [tenant.organizationId, id]);
    for (const [away, back, id] of [
      [`status = 'ARCHIVED'`, `status = 'ACTIVE'`, first?.id],
      ['deleted_at = now()', 'deleted_at = null', second?.id],
    ] as const) {
      expect((await makeLink(house, made)).code).toBe('LINK_LIMIT_REACHED');
      await change(away, id);
      expect((await makeLink(house, made)).code).toBe('OK');
      await expect(change(back, id)).rejects.toThrow('more links than 3');
    }
    // what counts already may change as it likes
    await change(`status = 'PAUSED'`, tenant.links[2]?.id);
    expect(await linksOf(tenant)).toBe(3);
  });

  it('beyond a limit that was lowered stay, and go on taking payments', async () => {
    await limit({ maxLinks: 0 });
    const token = await asRole();
    expect((await makeLink(house, { token, tenant, world })).code).toBe('LINK_LIMIT_REACHED');
    expect(await subscriptionOf(house, token)).toMatchObject({ maxLinks: 0, links: 3 });
    const { data } = await house.ask('query ($slug: String!) { checkout(slug: $slug) { title } }', {
      slug: tenant.links[0]?.slug,
    });
    expect(data).toMatchObject({ checkout: { title: expect.any(String) } });
  });

  it('of whoever may not make any are refused for that, and not for the limit', async () => {
    await limit({ maxLinks: 3 });
    expect((await makeLink(house, { token: await asRole('MEMBER'), tenant, world })).code).toBe('FORBIDDEN');
  });

  it('neither wait for ever nor fail for it when the organization is changed or deleted at the same instant', async () => {
    [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, links: 0, world })).tenants as [Tenant];
    await limit({ maxLinks: MOST });
    const made = { token: await asRole(), tenant, world };
    const outcomes = await Promise.all([
      ...Array.from({ length: 15 }, () => makeLink(house, made)),
      subscribe(house, operator.accessToken, tenant, { tier: 'TEAM', maxLinks: MOST + 1 }),
      mutate(house, made.token, 'deleteOrganization', { slug: tenant.marker }, 'organizationId'),
      ...Array.from({ length: 15 }, () => makeLink(house, made)),
    ]);
    const gone = ['UNAUTHENTICATED', 'MEMBERSHIP_ENDED', 'FORBIDDEN', 'ORGANIZATION_UNKNOWN', 'ANSWER_LOST'];
    const expected = ['OK', 'LINK_LIMIT_REACHED', ...gone];
    expect(outcomes.map(({ code }) => code).filter((code) => !expected.includes(code))).toEqual([]);
    expect(Number(await linksOf(tenant))).toBeLessThanOrEqual(MOST + 1);
  });
});

describe('members', () => {
  const membersOf = async (): Promise<unknown> => (await subscriptionOf(house, await asRole()))?.members;

  async function guests(
    count: number,
  ): Promise<(SignedIn & { readonly wallet: Wallet; readonly invitation: string })[]> {
    const owner = await asRole();
    return Promise.all(
      Array.from({ length: count }, async () => {
        const email = `guest-${newId()}@example.org`;
        const wallet = newWallet();
        const entered = await enterHouse(house, wallet);
        expect((await invite(house, owner, { email, role: 'MEMBER' })).code).toBe('OK');
        return { ...entered, wallet, invitation: tokenFor(house, email) };
      }),
    );
  }

  it('are exactly so many when many accept at one instant; invitations are not counted', async () => {
    await limit({ maxMembers: 5 });
    const invited = await guests(8);
    const codes = await Promise.all(
      invited.map(({ accessToken, invitation }) =>
        accept(house, accessToken, { token: invitation }).then(({ code }) => code),
      ),
    );
    expect([countOf(codes, 'OK'), countOf(codes, 'MEMBER_LIMIT_REACHED')]).toEqual([2, 6]);
    expect(await membersOf()).toBe(5);
  });

  it('that are refused keep their invitation, and come in when a seat is free or there are more', async () => {
    await limit({ maxMembers: 3 });
    const [first, second] = await guests(2);
    const enter = async (guest = first): Promise<string> =>
      (await accept(house, guest?.accessToken, { token: guest?.invitation })).code;
    expect(await enter()).toBe('MEMBER_LIMIT_REACHED');
    const told = await sql(
      house,
      `select from events where organization_id = $1 and type in ('membership.added', 'invitation.accepted')`,
      [tenant.organizationId],
    );
    expect(told).toEqual([]);
    const id = await membershipOf(house, tenant, tenant.people.MEMBER.userId);
    expect((await mutate(house, await asRole(), 'removeMember', { id }, 'replayed')).code).toBe('OK');
    expect(await enter()).toBe('OK');
    expect(await enter(second)).toBe('MEMBER_LIMIT_REACHED');
    await limit({});
    expect(await enter(second)).toBe('OK');
  });

  it('beyond a limit that was lowered stay, and can be changed', async () => {
    await limit({ maxMembers: 1 });
    expect(await membersOf()).toBe(3);
    const id = await membershipOf(house, tenant, tenant.people.MEMBER.userId);
    const changed = await mutate(house, await asRole(), 'updateMembership', { id, role: 'ADMIN' }, 'replayed');
    expect(changed.code).toBe('OK');
  });

  it('that become one with another take over the seat, in an organization that has none to give', async () => {
    const wallet = newWallet();
    const [older, younger] = [await enterHouse(house), await enterHouse(house, wallet)];
    await join(house, younger, encodeGlobalId('Organization', tenant.organizationId), 'MEMBER');
    await limit({ maxMembers: 1 });
    expect(await membersOf()).toBe(4);
    expect((await merge(house, older, await ticketFor(house, older, wallet))).code).toBe('OK');
    expect(await membersOf()).toBe(4);
    const seats = await sql(
      house,
      `select status from memberships where organization_id = $1 and user_id = any ($2) order by status`,
      [tenant.organizationId, [older, younger].map(({ viewer }) => rowId(viewer.user.id))],
    );
    expect(seats).toEqual([{ status: 'ACTIVE' }, { status: 'LEFT' }]);
  });

  it('who found an organization have its first seat, whatever the limit', async () => {
    await sql(house, 'update subscription_defaults set max_members = 1');
    const founder = await enterHouse(house, newWallet());
    expect(await subscriptionOf(house, founder.accessToken)).toMatchObject({ maxMembers: 1, members: 1 });
    const founded = await mutate(house, founder.accessToken, 'createOrganization', { name: 'Second' }, 'replayed');
    expect(founded.code).toBe('OK');
    await sql(house, 'update subscription_defaults set max_members = null');
  });
});
