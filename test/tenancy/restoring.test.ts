import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutate } from '../identity/linker.ts';
import { join } from '../identity/merger.ts';
import { codeOf, enterHouse, newWallet, refresh, rowId, type SignedIn, sql } from '../identity/visitor.ts';
import { signIn } from '../support/person.ts';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { deletedOf, linkTo, orderOf, remove, restore, slugOf, switchTo } from './leavers.ts';
import { act, codesOf, eventsOf, makeOperator, recordsOf } from './operatorHouse.ts';

const ROUNDS = FULL ? 40 : 4;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true, settings: { ORGANIZATION_RETENTION_DAYS: '7' } });
});
afterAll(() => house.stop());

const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;
const hex = (): string => randomBytes(6).toString('hex');

function rename(person: SignedIn, slug: string): ReturnType<typeof mutate> {
  return mutate(house, person.accessToken, 'updateOrganization', { slug }, 'organization { slug }');
}

/** Lets the organization have been deleted so many days ago. */
async function age(organizationId: string, days: number): Promise<void> {
  await sql(house, `update organizations set deleted_at = now() - make_interval(days => $2) where id = $1`, [
    rowId(organizationId),
    days,
  ]);
}

/** Somebody whose organization is gone, signed in again where a new one was made. */
async function bereft(): Promise<{ readonly person: SignedIn; readonly gone: string; readonly slug: string }> {
  const wallet = newWallet();
  const owner = await enterHouse(house, wallet);
  const slug = await slugOf(house, owner);
  const { code } = await remove(house, owner);
  if (code !== 'OK') throw new Error(`It was not deleted: ${code}`);
  return { person: await enterHouse(house, wallet), gone: homeOf(owner), slug };
}

describe('an organization that was deleted', () => {
  it('comes back with all that it had, to whoever signs in again and restores it', async () => {
    const wallet = newWallet();
    const [owner, admin] = [await enterHouse(house, wallet), await enterHouse(house)];
    await join(house, admin, homeOf(owner), 'ADMIN');
    const slug = `journey-${hex()}`;
    expect((await rename(owner, slug)).code).toBe('OK');
    const link = await linkTo(house, owner, wallet.address);
    const told = { theme: { colour: 'red' } };
    expect((await mutate(house, owner.accessToken, 'updateStoreConfiguration', told, 'replayed')).code).toBe('OK');
    await sql(
      house,
      `insert into organization_domains (organization_id, kind, host, verification_token, verified_at, is_primary)
       values ($1, 'CUSTOM', $2, repeat('a', 32), now(), true)`,
      [rowId(homeOf(owner)), `pay.${slug}.com`],
    );

    expect((await remove(house, owner)).code).toBe('OK');
    const again = await enterHouse(house, wallet);
    expect({ isNewUser: again.isNewUser, same: homeOf(again) === homeOf(owner) }).toEqual({
      isNewUser: false,
      same: false,
    });
    const [listed, ...others] = await deletedOf(house, again);
    expect(others).toEqual([]);
    expect(listed).toMatchObject({ id: homeOf(owner), slug });
    const lasts = Date.parse(listed?.restorableUntil ?? '') - Date.parse(listed?.deletedAt ?? '');
    expect(lasts).toBe(7 * 86_400_000);

    const { code, data } = await restore(house, again, homeOf(owner));
    expect({ code, organization: data?.organization }).toMatchObject({
      code: 'OK',
      organization: { id: homeOf(owner), slug },
    });
    expect(await deletedOf(house, again)).toEqual([]);
    const back = await switchTo(house, again, homeOf(owner));
    const seen = await house.ask(
      `{ viewer { role } organization {
        slug storeConfiguration { theme } paymentLinks { edges { node { id } } }
        domains { edges { node { host verifiedAt primary } } }
        memberships(filter: { status: ACTIVE }) { edges { node { role } } }
      } }`,
      {},
      { token: back.accessToken },
    );
    expect(seen.data).toEqual({
      viewer: { role: 'OWNER' },
      organization: {
        slug,
        storeConfiguration: { theme: { colour: 'red' } },
        paymentLinks: { edges: [{ node: { id: link.id } }] },
        domains: { edges: [{ node: { host: `pay.${slug}.com`, verifiedAt: null, primary: false } }] },
        memberships: { edges: [{ node: { role: 'ADMIN' } }, { node: { role: 'OWNER' } }] },
      },
    });
    expect((await orderOf(house, link, newWallet().address)).code).toBe('OK');
    // what was ended stays so
    expect((await refresh(house, owner.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    const events = await sql(
      house,
      `select type, actor, data from events
       where organization_id = $1 and aggregate_type = 'organization' order by aggregate_version desc limit 1`,
      [rowId(homeOf(owner))],
    );
    expect(events).toEqual([
      { type: 'organization.undeleted', actor: `user:${rowId(owner.viewer.user.id)}`, data: { slug } },
    ]);
  });

  it('has a number behind its slug when others have taken it and the next one', async () => {
    const { person, gone, slug } = await bereft();
    for (const taken of [slug, `${slug}-2`]) expect((await rename(await enterHouse(house), taken)).code).toBe('OK');
    expect((await restore(house, person, gone)).data?.organization.slug).toBe(`${slug}-3`);
  });

  it('keeps a slug within its length, and ends it well', async () => {
    const wallet = newWallet();
    const owner = await enterHouse(house, wallet);
    const long = `${'a'.repeat(44)}${hex()}-${hex().slice(0, 3)}`;
    expect([long.length, (await rename(owner, long)).code]).toEqual([60, 'OK']);
    expect((await remove(house, owner)).code).toBe('OK');
    expect((await rename(await enterHouse(house), long)).code).toBe('OK');
    const { data } = await restore(house, await enterHouse(house, wallet), homeOf(owner));
    expect(data?.organization.slug).toBe(`${long.slice(0, 56)}-2`);
  });

  it('gets its slug or a numbered one when somebody takes it at that instant', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [{ person, gone, slug }, rival] = [await bereft(), await enterHouse(house)];
      const [back, taken] = await Promise.all([restore(house, person, gone), rename(rival, slug)]);
      expect(['OK', 'SLUG_TAKEN']).toContain(taken.code);
      expect(back.data?.organization.slug).toBe(taken.code === 'OK' ? `${slug}-2` : slug);
    }
  });

  it('comes back once, and to the same key again', async () => {
    const { person, gone } = await bereft();
    const key = `restoring-${hex()}`;
    const [first, second] = [await restore(house, person, gone, key), await restore(house, person, gone, key)];
    expect([first.data?.replayed, second.data?.replayed]).toEqual([false, true]);
    expect((await restore(house, person, gone)).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
    const rivals = await bereft();
    const codes = await Promise.all([1, 2, 3].map(() => restore(house, rivals.person, rivals.gone)));
    expect(codes.filter(({ code }) => code === 'OK').length).toBe(1);
  });

  it('is unknown to all who did not own it, to what is not deleted, and to what is no id', async () => {
    const wallet = newWallet();
    const [owner, admin, stranger] = [
      await enterHouse(house, wallet),
      await enterHouse(house),
      await enterHouse(house),
    ];
    await join(house, admin, homeOf(owner), 'ADMIN');
    expect((await remove(house, owner)).code).toBe('OK');
    for (const person of [admin, stranger]) {
      expect((await restore(house, person, homeOf(owner))).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
      expect(await deletedOf(house, person)).toEqual([]);
      expect((await restore(house, person, homeOf(person))).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
    }
    expect((await restore(house, stranger, 'x')).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
    expect((await restore(house, { ...stranger, accessToken: '' }, homeOf(owner))).code).toBe('UNAUTHENTICATED');
    expect((await restore(house, await enterHouse(house, wallet), homeOf(owner))).code).toBe('OK');
  });

  it('cannot be restored when its time is over, and until then it can', async () => {
    const { person, gone } = await bereft();
    await age(gone, 7);
    expect(await deletedOf(house, person)).toEqual([]);
    expect((await restore(house, person, gone)).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
    await age(gone, 6);
    expect((await restore(house, person, gone)).code).toBe('OK');
  });

  it('cannot be restored in a session that is good for one organization alone', async () => {
    const { person, gone } = await bereft();
    const [domain] = await sql(
      house,
      `insert into organization_domains (organization_id, kind, host, verification_token, verified_at)
       values ($1, 'CUSTOM', $2, repeat('a', 32), now()) returning id`,
      [rowId(homeOf(person)), `pay.${hex()}.com`],
    );
    await sql(house, 'update sessions set domain_id = $1 where organization_id = $2', [
      domain?.id,
      rowId(homeOf(person)),
    ]);
    expect(await deletedOf(house, person)).toEqual([]);
    expect((await restore(house, person, gone)).code).toBe('SESSION_BOUND');
  });

  it('stays suspended if it was: deleting and restoring is no way around an operator', async () => {
    const { person, gone } = await bereft();
    await sql(house, `update organizations set status = 'SUSPENDED' where id = $1`, [rowId(gone)]);
    expect((await restore(house, person, gone)).code).toBe('OK');
    const switched = await mutate(
      house,
      person.accessToken,
      'switchOrganization',
      { organizationId: gone },
      'accessToken',
    );
    expect(switched.code).toBe('ORGANIZATION_SUSPENDED');
  });
});

describe('an operator', () => {
  it('restores what was deleted, on record; not what nobody owns, or whose time is over', async () => {
    const operator = await signIn(house);
    await makeOperator(house, operator);
    const { person, gone, slug } = await bereft();
    const asked = { token: operator.accessToken, deed: 'restoreOrganization', organizationId: gone } as const;
    await age(gone, 7);
    expect(codesOf(await act(house, asked))).toEqual(['ORGANIZATION_UNKNOWN']);
    await age(gone, 1);
    const restored = await act(house, asked);
    expect(restored.data).toMatchObject({ restoreOrganization: { changed: true, organization: { status: 'ACTIVE' } } });
    expect(await recordsOf(house, gone)).toEqual(['RESTORE a complaint', 'RESTORE a complaint']);
    expect(await eventsOf(house, gone)).toEqual(['organization.restored']);
    expect(await slugOf(house, await switchTo(house, person, gone))).toBe(slug);
    expect((await act(house, asked)).data).toMatchObject({ restoreOrganization: { changed: false } });

    const leaver = await enterHouse(house);
    await mutate(house, leaver.accessToken, 'deleteUser', { userId: leaver.viewer.user.id }, 'userId');
    expect(codesOf(await act(house, { ...asked, organizationId: homeOf(leaver) }))).toEqual(['ORGANIZATION_UNKNOWN']);
    for (const deed of ['suspendOrganization', 'impersonate'] as const) {
      const other = await bereft();
      expect(codesOf(await act(house, { ...asked, deed, organizationId: other.gone }))).toEqual([
        'ORGANIZATION_UNKNOWN',
      ]);
    }
  });

  it('restores nothing as somebody who is none', async () => {
    const { person, gone } = await bereft();
    const answer = await act(house, { token: person.accessToken, deed: 'restoreOrganization', organizationId: gone });
    expect(codeOf(answer)).toBe('FORBIDDEN');
  });
});
