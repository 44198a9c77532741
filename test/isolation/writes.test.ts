import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { DUE_UNITS, seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { type Actor, act, actorsOf, NOBODYS } from './actors.ts';

let database: TestDatabase;
let world: World;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  database = await freshDatabase();
  world = await seedTenants(database.adminUrl, { tenants: 2 });
  [one, other] = world.tenants as [Tenant, Tenant];
});
afterAll(() => database.drop());

/** One statement, and what comes of it by actor: how many rows, or the SQLSTATE of the refusal. */
type Deed = readonly [deed: string, statement: () => string, outcomes: Readonly<Record<string, number | string>>];

const DENIED = '42501';
const bytes = (count: number): string => `\\x${randomBytes(count).toString('hex')}`;
const values = (row: Readonly<Record<string, string>>): string =>
  `(${Object.keys(row)}) values (${Object.values(row).map((value) => `'${value}'`)})`;

const link = (row: Record<string, string> = {}): string =>
  `insert into payment_links ${values({
    organization_id: one.organizationId,
    slug: newId(),
    title: 'Tea',
    created_by_id: one.people.OWNER.userId,
    ...row,
  })}`;

const order = (row: Record<string, string> = {}): string =>
  `insert into payment_orders ${values({
    organization_id: one.organizationId,
    payment_link_id: one.links[0]?.id ?? '',
    incarnation_id: world.incarnationId,
    asset_id: world.coin.id,
    matching: 'WALLET',
    due_units: DUE_UNITS,
    pay_to: one.people.OWNER.address,
    payer: one.people.MEMBER.address,
    reference: bytes(16),
    head_number: '1',
    client_hash: bytes(32),
    ...row,
  })}`;

const event = (type: string, actor: string, row: Record<string, string> = {}): string =>
  `insert into events ${values({
    organization_id: one.organizationId,
    type,
    aggregate_type: 'x',
    aggregate_id: newId(),
    aggregate_version: '1',
    actor,
    data: '{}',
    metadata: '{}',
    ...row,
  })}`;

const member = (role: string): string =>
  `insert into memberships ${values({ organization_id: one.organizationId, user_id: other.people.OWNER.userId, role })}`;

const invitation = (role: string, inviter: TenantRole): string =>
  `insert into invitations ${values({
    organization_id: one.organizationId,
    role,
    address: NOBODYS.subject,
    invited_by_id: one.people[inviter].userId,
    expires_at: 'tomorrow',
  })}`;

const handle = (kind: string): string =>
  `insert into handles ${values({ kind, value_hash: bytes(32), organization_id: one.organizationId, target_id: newId() })}`;

/** A wallet as linking writes it; the member has just proved this one. */
const wallet = (row: Record<string, string> = {}): string =>
  `insert into identities ${values({
    user_id: one.people.MEMBER.userId,
    kind: 'WALLET',
    ...NOBODYS,
    address: NOBODYS.subject,
    wallet_kind: 'EOA',
    wallet_source: 'EXTERNAL',
    ...row,
  })}`;

const by = ({ userId }: { readonly userId: string }): string => `user:${userId}`;

const DEEDS: readonly Deed[] = [
  ['make a link', () => link(), { OWNER: 1, MEMBER: DENIED, slug: DENIED, inside: DENIED, operator: DENIED }],
  ['make a link as another', () => link(), { ADMIN: DENIED }],
  ['make a link as oneself', () => link({ created_by_id: one.people.ADMIN.userId }), { ADMIN: 1 }],
  [
    'change a link',
    () => `update payment_links set title = 'Coffee'`,
    { OWNER: 3, MEMBER: 0, slug: DENIED, inside: DENIED, operator: DENIED },
  ],
  ['use a link up', () => 'update payment_links set uses = 5', { OWNER: DENIED, slug: DENIED, inside: DENIED }],
  ['bring a link back', () => 'update payment_links set deleted_at = null', { OWNER: DENIED, inside: DENIED }],
  ['archive a link', () => `update payment_links set status = 'ARCHIVED'`, { OWNER: 3, MEMBER: 0, slug: DENIED }],
  ['make a draft of a link', () => `update payment_links set status = 'DRAFT'`, { OWNER: 'TH477', slug: DENIED }],
  [
    'change a price',
    () => 'update payment_link_accepts set units = 1',
    { OWNER: DENIED, slug: DENIED, inside: DENIED },
  ],
  ['take ways to pay away', () => 'delete from payment_link_accepts', { OWNER: 3, MEMBER: 0, slug: DENIED }],
  [
    'sell one thing and ask for another',
    () => `update payment_links set pricing = 'LINE_ITEMS', line_items = '[{"quantity": 1, "prices": {}}]'`,
    { OWNER: '23514', MEMBER: 0 },
  ],
  [
    'send payers elsewhere',
    () => `update payment_links set success_url = 'https://elsewhere.example/'`,
    { OWNER: 'TH475', MEMBER: 0 },
  ],
  ['read who may pay', () => 'select allowed_payers from payment_links', { slug: DENIED, public: DENIED, OWNER: 3 }],
  ['read how often a link was used', () => 'select uses from payment_links', { slug: DENIED, OWNER: 3 }],
  ['read how much was asked for', () => 'select total_units from payment_link_accepts', { slug: DENIED, OWNER: 3 }],
  ['add an owner', () => member('OWNER'), { OWNER: DENIED, ADMIN: DENIED, proved: DENIED, inside: DENIED }],
  ['add a member', () => member('MEMBER'), { OWNER: DENIED, ADMIN: DENIED, MEMBER: DENIED, slug: DENIED }],
  ['invite an owner', () => invitation('OWNER', 'OWNER'), { OWNER: 1, ADMIN: DENIED, MEMBER: DENIED, proved: DENIED }],
  ['invite an admin', () => invitation('ADMIN', 'ADMIN'), { ADMIN: 1, OWNER: DENIED, MEMBER: DENIED, slug: DENIED }],
  ['become an owner', () => `update memberships set role = 'OWNER'`, { ADMIN: DENIED, MEMBER: 0, proved: DENIED }],
  ['end one’s session', () => 'update sessions set ended_at = now()', { OWNER: 1, MEMBER: 1, proved: 1, slug: DENIED }],
  [
    'end the session of another',
    () => `update sessions set ended_at = now() where id = '${one.people.ADMIN.sessionId}'`,
    { OWNER: 0, MEMBER: 0, proved: 0 },
  ],
  ['keep a session from ending', () => 'update sessions set ended_at = null', { OWNER: DENIED }],
  ['prolong one’s session', () => `update sessions set expires_at = 'infinity'`, { OWNER: DENIED, proved: DENIED }],
  ['make one’s session fresh', () => 'update sessions set proved_at = now()', { OWNER: DENIED, proved: DENIED }],
  [
    'link the wallet that was just proved',
    () => wallet(),
    { MEMBER: 1, OWNER: DENIED, proved: DENIED, inside: DENIED },
  ],
  ['link it to somebody else', () => wallet({ user_id: one.people.OWNER.userId }), { MEMBER: DENIED, OWNER: DENIED }],
  ['link another wallet', () => wallet({ subject: `0x${'4'.repeat(40)}` }), { MEMBER: DENIED, OWNER: DENIED }],
  [
    'link it on one chain alone',
    () => wallet({ issuer: 'eip155:1', wallet_kind: 'CONTRACT', chain_id: '1' }),
    { MEMBER: DENIED },
  ],
  [
    'unlink the wallet of another',
    () => `delete from identities where user_id = '${one.people.ADMIN.userId}'`,
    { OWNER: 0, MEMBER: 0, proved: DENIED, inside: DENIED },
  ],
  ['tell of a wallet', () => event('wallet.linked', by(one.people.MEMBER)), { MEMBER: 1, OWNER: DENIED }],
  [
    'tell another organization of a wallet',
    () => event('wallet.linked', by(one.people.MEMBER), { organization_id: other.organizationId }),
    { MEMBER: DENIED },
  ],
  [
    'tell of a link',
    () => event('payment-link.created', by(one.people.OWNER)),
    { OWNER: 1, slug: DENIED, inside: DENIED },
  ],
  ['tell of a link as another', () => event('payment-link.created', by(one.people.OWNER)), { ADMIN: DENIED }],
  [
    'tell of a link that one may not make',
    () => event('payment-link.created', by(one.people.MEMBER)),
    { MEMBER: DENIED },
  ],
  ['tell of a member', () => event('membership.added', by(one.people.ADMIN)), { ADMIN: DENIED, OWNER: DENIED }],
  ['tell of an invitation', () => event('invitation.created', by(one.people.ADMIN)), { ADMIN: 1, OWNER: DENIED }],
  ['tell of its being accepted', () => event('invitation.accepted', by(one.people.ADMIN)), { ADMIN: DENIED }],
  [
    'tell of a payment',
    () => event('payment-order.paid', 'worker'),
    { inside: 1, worker: DENIED, OWNER: DENIED, token: DENIED },
  ],
  [
    'tell of a payment as a person',
    () => event('payment-order.paid', by(one.people.OWNER)),
    { inside: DENIED, OWNER: DENIED },
  ],
  ['tell of an order', () => event('payment-order.created', 'payer'), { slug: 1, public: DENIED, OWNER: DENIED }],
  ['change what was told', () => `update events set type = 'x.y'`, { OWNER: DENIED, inside: DENIED, operator: DENIED }],
  ['make an order', () => order(), { slug: 1, public: DENIED, token: DENIED, OWNER: DENIED, inside: DENIED }],
  ['make an order that is paid', () => order({ status: 'PAID', paid_at: 'now' }), { slug: DENIED }],
  ['make an order that is credited', () => order({ credited_units: '1' }), { slug: DENIED }],
  ['make an order for less', () => order({ due_units: '1' }), { slug: DENIED }],
  ['make an order with more time', () => order({ expires_at: '2999-01-01' }), { slug: DENIED }],
  ['make an order for a part', () => order({ tolerance_units: '1' }), { slug: DENIED }],
  ['make an order that late money pays', () => order({ late_policy: 'ACCEPT' }), { slug: DENIED }],
  ['make an order that is paid at once', () => order({ required_confirmations: '1' }), { slug: DENIED }],
  ['make an order of other things', () => order({ line_items: '[]' }), { slug: DENIED }],
  ['make an order that says something', () => order({ field_values: '{"a": "b"}' }), { slug: 1, OWNER: DENIED }],
  ['make an order for oneself', () => order({ pay_to: `0x${'1'.repeat(40)}` }), { slug: DENIED }],
  ['make an order in another asset', () => order({ asset_id: newId() }), { slug: DENIED }],
  ['make an order of long ago', () => order({ created_at: '2020-01-01' }), { slug: DENIED }],
  ['make an order of another link', () => order({ payment_link_id: one.links[1]?.id ?? '' }), { slug: DENIED }],
  [
    'move orders',
    () => `update payment_orders set status = 'EXPIRED'`,
    { inside: 3, worker: 0, OWNER: DENIED, token: DENIED },
  ],
  [
    'lower what is due',
    () => 'update payment_orders set due_units = 1',
    { inside: DENIED, OWNER: DENIED, token: DENIED },
  ],
  ['pay oneself', () => `update payment_orders set pay_to = payer`, { inside: DENIED, OWNER: DENIED, slug: DENIED }],
  [
    'take back a credit',
    () => 'update payment_credits set reversed_at = now()',
    { inside: 3, worker: 0, OWNER: DENIED },
  ],
  ['name a link', () => handle('payment-link'), { OWNER: 1, MEMBER: DENIED, slug: DENIED, inside: DENIED }],
  ['name an order', () => handle('payment-order'), { slug: 1, public: DENIED, OWNER: DENIED }],
  [
    'write the audit',
    () => `insert into audit_entries overriding system value select * from audit_entries`,
    { OWNER: DENIED, inside: DENIED, operator: DENIED },
  ],
  ['erase the audit', () => 'delete from audit_entries', { OWNER: DENIED, inside: DENIED, operator: DENIED }],
  [
    'suspend the organization, with nothing on record',
    () => `update organizations set status = 'SUSPENDED'`,
    { OWNER: DENIED, inside: DENIED, operator: DENIED },
  ],
  ['rename it as an operator', () => `update organizations set name = 'X'`, { MEMBER: 0, operator: DENIED }],
  [
    'make an operator',
    () => `insert into operators ${values({ user_id: newId(), granted_by: 'X', reason: 'X' })}`,
    { OWNER: DENIED, inside: DENIED, operator: DENIED },
  ],
  [
    'change what operators did',
    () => `update operator_actions set reason = 'X'`,
    { OWNER: DENIED, inside: DENIED, operator: DENIED },
  ],
  ['erase what operators did', () => 'delete from operator_actions', { OWNER: DENIED, operator: DENIED }],
  [
    'make a user',
    () => `insert into users ${values({ id: newId(), display_name: 'X' })}`,
    { OWNER: DENIED, proved: DENIED },
  ],
  ['read a name', () => 'select id, display_name, avatar_url, created_at from users', { OWNER: 3, MEMBER: 3 }],
  ['read whether a user is locked out', () => 'select status from users', { OWNER: DENIED, operator: 6 }],
  ['read when a user was deleted', () => 'select deleted_at from users', { MEMBER: DENIED, operator: 6 }],
  ['take over a wallet', () => `update identities set user_id = '${newId()}'`, { OWNER: DENIED, proved: DENIED }],
  ['empty a table', () => 'truncate payment_links cascade', { OWNER: DENIED, inside: DENIED, operator: DENIED }],
  ['become the owner of the tables', () => 'set local role tollhouse_owner', { OWNER: DENIED, inside: DENIED }],
  ['become the operator', () => 'set local role tollhouse_operator', { login: DENIED, OWNER: DENIED, inside: DENIED }],
  [
    'put out the law',
    () => 'alter table payment_links disable row level security',
    { OWNER: DENIED, operator: DENIED },
  ],
  [
    'ask past the law',
    () => 'set local row_security = off; select from payment_links',
    { OWNER: DENIED, slug: DENIED, operator: DENIED },
  ],
  [
    'look up a handle as anybody',
    () => `select resolve_handle('payment-link', '${bytes(32)}')`,
    { OWNER: DENIED, slug: DENIED },
  ],
];

const named = (name: string): Actor => actorsOf(one).find((actor) => actor.name === name) as Actor;

describe('whoever wants to', () => {
  it.each(DEEDS)('%s is let or refused as the table says', async (_, statement, outcomes) => {
    const found: Record<string, number | string> = {};
    for (const name of Object.keys(outcomes)) {
      const { code, count } = await act(database, named(name), (attempt) => attempt(statement()));
      found[name] = code ?? count;
    }
    expect(found).toEqual(outcomes);
  });
});

describe('somebody who has left', () => {
  it('is still seen by those who stay, as the maker of what stays', async () => {
    const { userId } = one.people.ADMIN;
    const leave = `update memberships set status = 'LEFT' where user_id = '${userId}'`;
    await withSession(database.adminUrl, (client) => client.query(leave));
    const name = `select display_name from users where id = '${userId}'`;
    const seen = await act(database, named('OWNER'), (attempt) => attempt(name));
    expect(seen).toMatchObject({ code: null, count: 1 });
  });
});
