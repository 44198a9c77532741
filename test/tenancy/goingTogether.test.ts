import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { during } from '../identity/during.ts';
import { link, mutate } from '../identity/linker.ts';
import { join, merge, preview, ticketFor } from '../identity/merger.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { accept, invite, tokenFor } from './inviter.ts';
import { createKey } from './keyHolder.ts';
import { remove, restore, switchTo } from './leavers.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const idOf = ({ viewer }: SignedIn): string => rowId(viewer.organization.id);
const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);
const go = (person: SignedIn): ReturnType<typeof mutate> =>
  mutate(house, person.accessToken, 'deleteUser', { userId: person.viewer.user.id }, 'userId');

/** Two domains of the person's organization, of which one has still to be verified. */
const addDomains = (person: SignedIn): Promise<unknown> =>
  sql(
    house,
    `insert into organization_domains (organization_id, kind, host, verification_token, verified_at)
     values ($1, 'CUSTOM', 'a' || $2, repeat('a', 32), now()), ($1, 'CUSTOM', 'b' || $2, repeat('b', 32), null)`,
    [idOf(person), `${idOf(person)}.com`],
  );

/** As `verifyDomain` does it, its two locks apart: all domains, then the organization; it is the first to look for a circle. */
const verifying = (person: SignedIn) => ({
  domain: async (client: { query: (text: string, values?: unknown[]) => Promise<unknown> }) => {
    await client.query(`set local deadlock_timeout = '10ms'`);
    await client.query('select from organization_domains where organization_id = $1 for update', [idOf(person)]);
  },
  organization: (client: { query: (text: string, values?: unknown[]) => Promise<unknown> }) =>
    client.query('select from organizations where id = $1 for key share', [idOf(person)]),
});

describe('an organization that goes with its user', () => {
  it('is told of as deleted, once, like any other', async () => {
    const person = await enterHouse(house);
    const [before] = await sql(house, 'select slug from organizations where id = $1', [idOf(person)]);
    const elsewhere = await enterHouse(house);
    await join(house, person, elsewhere.viewer.organization.id, 'MEMBER');
    expect((await go(person)).code).toBe('OK');
    const told = await sql(
      house,
      `select organization_id, actor, data, aggregate_version from events
       where type = 'organization.deleted' and organization_id = any ($1)`,
      [[idOf(person), idOf(elsewhere)]],
    );
    expect(told).toEqual([
      {
        organization_id: idOf(person),
        actor: `user:${userOf(person)}`,
        data: { slug: before?.slug },
        aggregate_version: 2,
      },
    ]);
  });

  it.each([
    ['deleting the user', go],
    ['deleting the organization', (person: SignedIn) => remove(house, person)],
  ])('waits for a domain that is being verified, in no circle: %s', async (_deed, deed) => {
    const person = await enterHouse(house);
    await addDomains(person);
    const { domain, organization } = verifying(person);
    expect((await during(house, domain, () => deed(person), organization)).code).toBe('OK');
  });
});

describe('an organization that is brought back', () => {
  it('waits for whoever decides about its owners', async () => {
    const [person, keeper] = [await enterHouse(house), await enterHouse(house)];
    await join(house, person, keeper.viewer.organization.id, 'MEMBER');
    const beside = await switchTo(house, person, keeper.viewer.organization.id);
    expect((await remove(house, person)).code).toBe('OK');
    const restored = await during(
      house,
      async (client) => {
        await client.query(`select pg_advisory_xact_lock(hashtextextended('owners of ' || $1, 0))`, [idOf(person)]);
        await client.query(`update memberships set status = 'LEFT' where organization_id = $1`, [idOf(person)]);
      },
      () => restore(house, beside, person.viewer.organization.id),
    );
    expect(restored.code).toBe('DELETED_ORGANIZATION_UNKNOWN');
  });
});

/** What an organization's rows say of where somebody asked from. */
const clientsIn = (person: SignedIn, types: readonly string[]): Promise<Record<string, unknown>[]> =>
  sql(
    house,
    `select type, metadata ? 'clientAddress' or metadata ? 'userAgent' as shown, metadata ? 'requestId' as traced
     from events where organization_id = $1 and type = any ($2) order by type`,
    [idOf(person), types],
  );

describe('where somebody asks from', () => {
  it('stands in the organization that they work in, and in no other', async () => {
    const [inviter, guest] = [await enterHouse(house), await enterHouse(house)];
    const input = { email: 'ada@example.org', role: 'MEMBER' };
    expect((await invite(house, inviter.accessToken, input)).code).toBe('OK');
    const token = tokenFor(house, 'ada@example.org');
    expect((await accept(house, guest.accessToken, { token })).code).toBe('OK');
    expect((await link(house, guest, newWallet())).code).toBe('OK');
    expect(await clientsIn(inviter, ['invitation.created', 'invitation.accepted', 'membership.added'])).toEqual([
      { type: 'invitation.accepted', shown: false, traced: true },
      { type: 'invitation.created', shown: true, traced: true },
      { type: 'membership.added', shown: false, traced: true },
    ]);
    expect(await clientsIn(inviter, ['wallet.linked'])).toEqual([
      { type: 'wallet.linked', shown: false, traced: true },
    ]);
    expect(await clientsIn(guest, ['wallet.linked'])).toEqual([{ type: 'wallet.linked', shown: true, traced: true }]);
    expect((await go(guest)).code).toBe('OK');
    expect(await clientsIn(inviter, ['user.deleted'])).toEqual([{ type: 'user.deleted', shown: false, traced: true }]);
    expect(await clientsIn(guest, ['user.deleted'])).toEqual([{ type: 'user.deleted', shown: true, traced: true }]);
  });
});

describe('a merge', () => {
  it('tells before which API keys stop, of whoever goes alone, and then they do', async () => {
    const wallet = newWallet();
    const [older, younger] = [await enterHouse(house), await enterHouse(house, wallet)];
    await sql(house, `update organizations set name = 'Teahouse' where id = $1`, [idOf(younger)]);
    await createKey(house, older.accessToken, { name: 'Stays' });
    for (const [name, kind] of [
      ['Till', 'SERVICE'],
      ['Mine', 'PERSONAL'],
      ['Old', 'SERVICE'],
    ]) {
      expect((await createKey(house, younger.accessToken, { name, kind })).code).toBe('OK');
    }
    await sql(house, `update api_keys set revoked_at = now() where name = 'Old'`);
    const ticket = await ticketFor(house, older, wallet);
    const stopped = async (token: string, mergeTicket: string): Promise<unknown> => {
      const { data } = await house.ask<{ mergePreview: { apiKeys: unknown } | null }>(
        `query ($mergeTicket: String!) { mergePreview(mergeTicket: $mergeTicket) {
          apiKeys { name kind organizationName isViewers }
        } }`,
        { mergeTicket },
        { token },
      );
      return data?.mergePreview?.apiKeys;
    };
    const told = { organizationName: 'Teahouse', isViewers: false };
    expect(await stopped(older.accessToken, ticket)).toEqual([
      { ...told, name: 'Till', kind: 'SERVICE' },
      { ...told, name: 'Mine', kind: 'PERSONAL' },
    ]);
    const stranger = await enterHouse(house);
    expect((await preview(house, stranger.accessToken, ticket)).code).toBe('MERGE_TICKET_INVALID');
    expect((await merge(house, older, ticket)).code).toBe('OK');
    const left = await sql(
      house,
      `select name, revoked_at is not null as revoked, responsible_id from api_keys where organization_id = $1 order by name`,
      [idOf(younger)],
    );
    expect(left).toEqual([
      { name: 'Mine', revoked: true, responsible_id: userOf(younger) },
      { name: 'Old', revoked: true, responsible_id: userOf(younger) },
      { name: 'Till', revoked: false, responsible_id: null },
    ]);
  });

  it('leaves the survivor what the other has signed up by', async () => {
    const wallet = newWallet();
    const [inviter, older, younger] = [
      await enterHouse(house),
      await enterHouse(house),
      await enterHouse(house, wallet),
    ];
    const emails = ['claimed@example.org', 'foreign@example.org'] as const;
    for (const email of emails) {
      expect((await invite(house, inviter.accessToken, { email, role: 'MEMBER' })).code).toBe('OK');
    }
    // as signing up does it where strangers must be invited
    const claim = 'update invitations set claimed_by_id = $2 where email = $1';
    await sql(house, claim, [emails[0], userOf(younger)]);
    await sql(house, claim, [emails[1], userOf(inviter)]);
    const accessToken = older.accessToken;
    expect((await accept(house, accessToken, { token: tokenFor(house, emails[0]) })).code).toBe('INVITATION_USED');
    expect((await merge(house, older, await ticketFor(house, older, wallet))).code).toBe('OK');
    const again = await enterHouse(house, wallet);
    expect((await accept(house, again.accessToken, { token: tokenFor(house, emails[1]) })).code).toBe(
      'INVITATION_USED',
    );
    expect((await accept(house, again.accessToken, { token: tokenFor(house, emails[0]) })).code).toBe('OK');
  });
});
