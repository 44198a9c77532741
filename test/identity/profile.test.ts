import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { type Person, signIn } from '../support/person.ts';
import { type Answer, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, rowId, sql } from './visitor.ts';

let house: TestTollhouse;
let person: Person;
beforeAll(async () => {
  house = await startTollhouse();
  person = await signIn(house);
});
afterAll(() => house.stop());

const FIELDS = `displayName avatarUrl userName givenName familyName bio timeZone language preferences lastSignInAt
  lastSignInAddress`;

type Profile = Readonly<Record<string, unknown>>;

function update(input: object, who: Person | null = person): Promise<Answer<{ updateProfile: { profile: Profile } }>> {
  const document = `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { profile { ${FIELDS} } } }`;
  return house.ask(document, { input }, who ? { token: who.accessToken } : {});
}

/** What the change comes to: the profile as the mutation answers it, which is what a query answers afterwards. */
async function changed(input: object, who: Person = person): Promise<Profile> {
  const { data, errors } = await update(input, who);
  expect(errors).toEqual([]);
  const read = await house.ask<{ viewer: { profile: Profile } }>(
    `{ viewer { profile { ${FIELDS} } } }`,
    {},
    { token: who.accessToken },
  );
  expect(data?.updateProfile.profile).toEqual(read.data?.viewer.profile);
  return data?.updateProfile.profile ?? {};
}

describe('a profile', () => {
  it('is empty at first, apart from what signing in says', async () => {
    const newcomer = await signIn(house);
    const profile = await changed({}, newcomer);
    const { displayName, lastSignInAt, lastSignInAddress, preferences, ...rest } = profile;
    expect([displayName, preferences]).toEqual([expect.stringContaining('…'), {}]);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
    const [session] = await sql(house, 'select created_at, client_address from sessions where user_id = $1', [
      rowId(newcomer.userId),
    ]);
    expect([new Date(String(lastSignInAt)), lastSignInAddress]).toEqual([session?.created_at, session?.client_address]);
  });

  it('says what it was told, each word in the spelling that it is kept in', async () => {
    expect(
      await changed({
        displayName: ' Ada ',
        avatarUrl: ' HTTPS://Example.com/a b.png ',
        userName: ' Ada_1815 ',
        givenName: 'Ada',
        familyName: 'Lovelace',
        bio: 'Notes.\n\nMore notes.',
        timeZone: 'europe/london',
        language: 'EN-gb',
        preferences: { theme: 'dark', size: 1.5, news: false },
      }),
    ).toMatchObject({
      displayName: 'Ada',
      avatarUrl: 'https://example.com/a%20b.png',
      userName: 'ada_1815',
      givenName: 'Ada',
      familyName: 'Lovelace',
      bio: 'Notes.\n\nMore notes.',
      timeZone: 'Europe/London',
      language: 'en-GB',
      preferences: { theme: 'dark', size: 1.5, news: false },
    });
  });

  it('keeps what is not named, and loses what is null', async () => {
    await changed({
      givenName: 'Ada',
      familyName: 'Byron',
      bio: 'x',
      avatarUrl: 'https://example.com/',
      userName: 'kept',
    });
    expect(await changed({ familyName: 'Lovelace', bio: null, avatarUrl: null, preferences: null })).toMatchObject({
      userName: 'kept',
      givenName: 'Ada',
      familyName: 'Lovelace',
      bio: null,
      avatarUrl: null,
      preferences: {},
    });
    expect(await changed({ userName: null })).toMatchObject({ userName: null, givenName: 'Ada' });
  });

  it('takes preferences that are written into the document as those that come beside it', async () => {
    const write = (literal: string): Promise<Answer<unknown>> =>
      house.ask(
        `mutation { updateProfile(input: { preferences: ${literal} }) { profile { preferences } } }`,
        {},
        { token: person.accessToken },
      );
    const { data } = await write('{ theme: "dark", size: 2, news: true }');
    expect(data).toEqual({ updateProfile: { profile: { preferences: { theme: 'dark', size: 2, news: true } } } });
    expect(codeOf(await write('{ nested: { a: 1 } }'))).toBe('BAD_USER_INPUT');
    expect(codeOf(await write('[1]'))).toBe('BAD_USER_INPUT');
  });

  it('is nobody’s without a session', async () => {
    expect(codeOf(await update({ bio: 'x' }, null))).toBe('UNAUTHENTICATED');
    expect((await house.ask('{ viewer { profile { bio } } }')).data).toEqual({ viewer: null });
  });

  const long = (length: number): string => 'x'.repeat(length);
  const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, 1]));

  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['displayName', ['A', '名'.repeat(100)], [null, '', ' ', long(101), 'a\u0000b', 'a\nb']],
    ['givenName', ['A', long(100)], ['', long(101), '\u0000', '\u202eA']],
    ['familyName', ['A', long(100)], ['', long(101), '\u0000']],
    ['bio', ['a\nb', long(2000)], ['', long(2001), 'a\u0000']],
    ['userName', ['abc', '_0_', long(30)], ['ab', long(31), 'a-b', 'ä_ö', 'a b', 'admin', 'Tollhouse', '\u212Aelvin']],
    [
      'avatarUrl',
      ['https://a.example/b?c=d#e', `https://a.example/${long(1982)}`],
      [
        'http://a.example',
        'javascript:alert(1)',
        'data:image/png;base64,AA',
        '//a.example',
        'a',
        '',
        'https://u:p@a.example',
      ].concat(`https://a.example/${long(1983)}`),
    ],
    ['timeZone', ['UTC', 'Asia/Kolkata', 'America/Argentina/Ushuaia'], ['Mars/Olympus', '+01:00', '', 'Europe', '1']],
    ['language', ['de', 'zh-Hant-TW', 'es-419'], ['', 'english!', 'en_GB', 'x', `en-${long(40)}`]],
    [
      'preferences',
      [{}, many(50), { [long(500)]: long(500) }, { a: '😀'.repeat(500) }],
      [
        [],
        'a',
        7,
        many(51),
        { [long(501)]: 1 },
        { a: long(501) },
        { a: null },
        { a: {} },
        { a: [] },
        { a: '\u0000' },
      ].concat([{ '\u0000': 1 }, { a: '\ud800' }] as never),
    ],
  ])('takes %s as it may be, and no other', async (field, good, bad) => {
    for (const value of good) {
      const profile = await changed({ [field]: value });
      if (field === 'timeZone' || field === 'preferences') expect(profile[field]).toEqual(value);
    }
    const before = await changed({});
    for (const value of bad) {
      expect([value, codeOf(await update({ givenName: 'Not written', [field]: value }))]).toEqual([
        value,
        'BAD_USER_INPUT',
      ]);
    }
    expect(await changed({})).toEqual(before);
    await changed({ [field]: field === 'displayName' ? 'Ada' : null });
  });
});

describe('a user name', () => {
  it('is one person’s, in whatever case, until it is let go', async () => {
    const [one, other] = [await signIn(house), await signIn(house)];
    await changed({ userName: 'Grace' }, one);
    await changed({ userName: 'GRACE', bio: 'mine anyway' }, one);
    const refused = await update({ userName: 'gRaCe', bio: 'not written' }, other);
    expect([codeOf(refused), refused.errors[0]?.extensions.facts]).toEqual(['USER_NAME_TAKEN', { userName: 'grace' }]);
    expect(await changed({}, other)).toMatchObject({ userName: null, bio: null });
    await changed({ userName: 'hopper' }, one);
    expect(await changed({ userName: 'grace' }, other)).toMatchObject({ userName: 'grace' });
  });

  it('is one person’s of ten who want it at one moment', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => signIn(house)));
    const answers = await Promise.all(people.map((each) => update({ userName: 'wanted' }, each)));
    expect(answers.map(codeOf).sort()).toEqual(['OK', ...Array.from({ length: 9 }, () => 'USER_NAME_TAKEN')]);
  });
});

describe('the database', () => {
  /** Runs a statement as this person, in this person's organization, past all that the gateway checks. */
  async function as(who: Person, statement: string): Promise<Record<string, unknown>[]> {
    const sessionId = /^th_rt_([0-9a-f-]{36})/.exec(who.refreshToken)?.[1];
    const organizationId = rowId(who.organizationId);
    const scope = house.resources.database.as({
      kind: 'member',
      requestId: 'profile',
      sessionId: sessionId ?? '',
      organizationId,
    });
    return scope.transaction((tx) => tx.$queryRawUnsafe(statement));
  }

  it('shows a co-member the name and the picture, and nothing of the profile', async () => {
    const [one, colleague] = [await signIn(house), await signIn(house)];
    await changed(
      { displayName: 'One', avatarUrl: 'https://one.example/', givenName: 'Secret', userName: 'one_1' },
      one,
    );
    await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'ADMIN')`, [
      rowId(one.organizationId),
      rowId(colleague.userId),
    ]);
    const { accessToken } = await (async () => {
      const session = /^th_rt_([0-9a-f-]{36})/.exec(colleague.refreshToken)?.[1] ?? '';
      const viewer = { userId: rowId(colleague.userId), sessionId: session, organizationId: rowId(one.organizationId) };
      return { accessToken: (await house.resources.tokens.issue(viewer)).token };
    })();
    const seen = await house.ask(
      'query ($id: ID!) { node(id: $id) { ... on User { displayName avatarUrl } } viewer { profile { displayName } } }',
      { id: one.userId },
      { token: accessToken },
    );
    expect(seen.data).toMatchObject({ node: { displayName: 'One', avatarUrl: 'https://one.example/' } });
    expect(JSON.stringify(seen)).not.toContain('Secret');
    const scoped = { ...colleague, organizationId: one.organizationId };
    const others = `from user_profiles where user_id <> '${rowId(colleague.userId)}'`;
    expect(await as(scoped, `select count(*)::int as count ${others}`)).toEqual([{ count: 0 }]);
    expect(
      await as(scoped, `update user_profiles set bio = 'x' where user_id <> current_user_id() returning id`),
    ).toEqual([]);
    expect(await as(scoped, `update users set display_name = 'x' where id <> current_user_id() returning id`)).toEqual(
      [],
    );
    await expect(as(scoped, 'select status from users')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(as(scoped, "update users set status = 'ACTIVE'")).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each([
    [`user_name = 'Upper'`, 'user_profiles_user_name_check'],
    [`user_name = 'ab'`, 'user_profiles_user_name_check'],
    [`given_name = repeat('x', 101)`, 'user_profiles_given_name_check'],
    [`family_name = ''`, 'user_profiles_family_name_check'],
    [`bio = repeat('x', 2001)`, 'user_profiles_bio_check'],
    [`time_zone = ''`, 'user_profiles_time_zone_check'],
    [`language = repeat('x', 36)`, 'user_profiles_language_check'],
    [`preferences = '7'`, 'user_profiles_preferences_check'],
    [`preferences = '{"a": null}'`, 'user_profiles_preferences_check'],
    [`preferences = '{"a": {}}'`, 'user_profiles_preferences_check'],
    [`preferences = '{"a": [1]}'`, 'user_profiles_preferences_check'],
    [`preferences = jsonb_build_object('a', repeat('x', 501))`, 'user_profiles_preferences_check'],
    [`preferences = jsonb_build_object(repeat('x', 501), 1)`, 'user_profiles_preferences_check'],
    [
      `preferences = (select jsonb_object_agg(n::text, n) from generate_series(1, 51) n)`,
      'user_profiles_preferences_check',
    ],
  ])('refuses %s itself', async (change, constraint) => {
    await changed({ bio: 'There is a profile.' });
    const statement = `update user_profiles set ${change} where user_id = '${rowId(person.userId)}'`;
    await withSession(house.database.adminUrl, async (client) => {
      await expect(client.query(statement)).rejects.toMatchObject({ constraint });
    });
  });

  it.each(['http://a.example', 'https://', 'https://a b', `https://${'x'.repeat(2_000)}`])(
    'refuses the picture %s itself',
    async (url) => {
      await withSession(house.database.adminUrl, async (client) => {
        await expect(
          client.query('update users set avatar_url = $1 where id = $2', [url, rowId(person.userId)]),
        ).rejects.toMatchObject({ constraint: 'users_avatar_url_check' });
      });
    },
  );
});
