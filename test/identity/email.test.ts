import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContext } from '../../src/gateway/context.ts';
import { createEmailCode } from '../../src/identity/commands/createEmailCode.ts';
import { sweepSignIns } from '../../src/identity/jobs.ts';
import { createCodeDigest } from '../../src/identity/providers/codes.ts';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { sha256 } from '../../src/kernel/digest.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { makeStale, mutate } from './linker.ts';
import { askCode, codeIn, linkAddress, mailsTo, otherThan, readCode, submitCode } from './reader.ts';
import { enterHouse, rowId, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

let readers = 0;
const newAddress = (): string => `reader${++readers}@example.org`;
const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);

async function identitiesOf(person: SignedIn): Promise<unknown[]> {
  return sql(house, `select kind, issuer, subject, email, email_verified from identities where user_id = $1`, [
    userOf(person),
  ]);
}

describe('an e-mail address', () => {
  it('becomes the user’s by the code that was sent there, and tells the organizations no more than that', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const code = await readCode(house, person, email);
    const linked = await submitCode(house, person, email, ` ${code} `);
    const identity = { kind: 'EMAIL', issuer: 'email', subject: email, email, emailVerified: true };
    expect(linked).toMatchObject({ code: 'OK', data: { identity, alreadyLinked: false } });
    const told = await sql(house, `select type, data, tags from events where aggregate_id = $1`, [
      rowId(linked.data?.identity.id ?? ''),
    ]);
    expect(told).toMatchObject([{ type: 'identity.linked', data: { kind: 'EMAIL', issuer: 'email' } }]);
    expect(JSON.stringify(told)).not.toContain('reader');
    const asked = '{ viewer { identities(kind: EMAIL) { edges { node { email } } } } }';
    const { data } = await house.ask(asked, {}, { token: person.accessToken });
    expect(data).toEqual({ viewer: { identities: { edges: [{ node: { email } }] } } });
  });

  it('that is the user’s already is the same answer, and nothing changes', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const id = await linkAddress(house, person, email);
    const again = await submitCode(house, person, email, await readCode(house, person, email));
    expect(again).toMatchObject({ code: 'OK', data: { identity: { id }, alreadyLinked: true } });
    expect(await identitiesOf(person)).toHaveLength(2);
    expect(await sql(house, 'select from events where aggregate_id = $1', [rowId(id)])).toHaveLength(1);
  });

  it('that is another user’s is refused without a ticket to merge: reading one mail is not worth an account', async () => {
    const [owner, person, email] = [await enterHouse(house), await enterHouse(house), newAddress()];
    await linkAddress(house, owner, email);
    const code = await readCode(house, person, email);
    const answer = await house.ask(
      'mutation ($input: LinkEmailInput!) { linkEmail(input: $input) { alreadyLinked } }',
      { input: { email, code } },
      { token: person.accessToken },
    );
    const [{ extensions } = { extensions: {} }] = answer.errors;
    expect(extensions).toMatchObject({
      code: 'IDENTITY_LINKED_TO_OTHER_USER',
      remedy: expect.stringContaining('prove a wallet of that user with `linkWallet` instead'),
    });
    expect(extensions).not.toHaveProperty('facts.mergeTicket');
    const tickets = await sql(house, 'select from merge_tickets where user_id = $1', [rowId(person.viewer.user.id)]);
    expect(tickets).toEqual([]);
    expect(JSON.stringify(answer)).not.toContain(owner.viewer.user.id);
    expect(await identitiesOf(person)).toHaveLength(1);
    // the code is used up with it
    expect((await submitCode(house, person, email, code)).code).toBe('EMAIL_CODE_INVALID');
  });

  it('is sent a code in the same words, whoever has it', async () => {
    const [person, owner] = [await enterHouse(house), await enterHouse(house)];
    const [own, theirs, free] = [newAddress(), newAddress(), newAddress()];
    await linkAddress(house, person, own);
    await linkAddress(house, owner, theirs);
    const answers = [];
    for (const email of [own, theirs, free]) {
      const { code, data } = await askCode(house, person, email);
      answers.push([code, { ...data, email: data?.email === email, expiresAt: typeof data?.expiresAt }]);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const words = [own, theirs, free].map((email) => mailsTo(house, email).at(-1)?.replace(/\d{8}/, ''));
    expect(new Set(words).size).toBe(1);
  });

  it.each([
    ['  Alice.B+tag@Example.ORG ', 'alice.b+tag@example.org'],
    ['o’hara@example.org'.replace('’', "'"), "o'hara@example.org"],
    ['alice@BÜCHER.example', 'alice@xn--bcher-kva.example'],
    ['alice@例え。テスト', 'alice@xn--r8jz45g.xn--zckzah'],
    [`${'a'.repeat(64)}@example.org`, `${'a'.repeat(64)}@example.org`],
  ])('%s is stored in one spelling', async (written, stored) => {
    const person = await enterHouse(house);
    expect(await askCode(house, person, written)).toMatchObject({ code: 'OK', data: { email: stored } });
    const code = codeIn(mailsTo(house, stored).at(-1) ?? '');
    expect(await submitCode(house, person, written, code)).toMatchObject({
      code: 'OK',
      data: { identity: { subject: stored } },
    });
  });

  it.each([
    '',
    'alice',
    '@example.org',
    'alice@',
    'alice@example',
    'alice@127.0.0.1',
    'alice@[127.0.0.1]',
    'alice@0x7f.1',
    'a@b@example.org',
    'alice@example.org, bob@example.org',
    'alice@example.org\r\nBcc: bob@example.org',
    'alice\0@example.org',
    'Alice <alice@example.org>',
    '"alice"@example.org',
    '.alice@example.org',
    'a..b@example.org',
    'ali ce@example.org',
    'aliÇe@example.org',
    '\u212aalice@example.org',
    'alice@exa mple.org',
    'alice@-example.org',
    'alice@example.org/x',
    'alice@exa%6dple.org',
    'alice@example..org',
    `${'a'.repeat(65)}@example.org`,
    `alice@${'a.'.repeat(124)}org`,
    `alice@${'a'.repeat(64)}.org`,
  ])('is not %j', async (email) => {
    const person = await stranger();
    const refused = { code: 'BAD_USER_INPUT', data: null };
    expect(await askCode(house, person, email)).toEqual(refused);
    expect(await submitCode(house, person, email, '00000000')).toEqual(refused);
  });

  let refusedPerson: SignedIn | undefined;
  async function stranger(): Promise<SignedIn> {
    refusedPerson ??= await enterHouse(house);
    return refusedPerson;
  }
});

describe('a session', () => {
  it('without a fresh proof can neither ask for a code nor use one, and nobody can', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const code = await readCode(house, person, email);
    await makeStale(house, person);
    expect((await askCode(house, person, email)).code).toBe('STEP_UP_REQUIRED');
    expect((await submitCode(house, person, email, code)).code).toBe('STEP_UP_REQUIRED');
    expect(mailsTo(house, email)).toHaveLength(1);
    for (const field of ['createEmailCode', 'linkEmail']) {
      const input = field === 'linkEmail' ? { email, code } : { email };
      expect((await mutate(house, undefined, field, input, '__typename')).code).toBe('UNAUTHENTICATED');
    }
    await sql(house, 'update sessions set proved_at = now() where id = $1', [sessionIdOf(person)]);
    expect((await submitCode(house, person, email, code)).code).toBe('OK');
  });

  it('where no mails are sent says so', async () => {
    const person = await enterHouse(house);
    const context = createContext(
      { ...house.resources, mailSender: null },
      {
        requestId: 'no-mails',
        client: { address: '::1', limitKey: '::1', userAgent: null, origin: null },
        viewer: {
          sessionId: sessionIdOf(person),
          userId: userOf(person),
          organizationId: rowId(person.viewer.organization.id),
        },
      },
    );
    const email = newAddress();
    await expect(createEmailCode(context, { email })).rejects.toMatchObject({ code: 'MAIL_NOT_CONFIGURED' });
    expect(await sql(house, 'select from email_codes where email = $1', [email])).toEqual([]);
  });
});

describe('a code', () => {
  it.each<[string, (person: SignedIn, email: string) => Promise<string>]>([
    ['a wrong one', async (person, email) => otherThan(await readCode(house, person, email))],
    ['none', async () => '00000000'],
    ['no code', async (person, email) => `${await readCode(house, person, email)}0`],
    [
      'an expired one',
      async (person, email) => {
        const code = await readCode(house, person, email);
        await sql(
          house,
          `update email_codes
           set created_at = created_at - interval '601 s', expires_at = expires_at - interval '601 s' where email = $1`,
          [email],
        );
        return code;
      },
    ],
    [
      'a used one',
      async (person, email) => {
        const code = await readCode(house, person, email);
        expect((await submitCode(house, person, email, code)).code).toBe('OK');
        return code;
      },
    ],
    [
      'the one before the newest',
      async (person, email) => {
        const code = await readCode(house, person, email);
        // one in a hundred million is the same again
        for (;;) if ((await readCode(house, person, email)) !== code) return code;
      },
    ],
    ['that of another address', async (person) => readCode(house, person, newAddress())],
    ['another user’s', async (_, email) => readCode(house, await enterHouse(house), email)],
  ])('that is %s is the one answer', async (_, codeFor) => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const code = await codeFor(person, email);
    const before = await identitiesOf(person);
    expect(await submitCode(house, person, email, code)).toEqual({ code: 'EMAIL_CODE_INVALID', data: null });
    expect(await identitiesOf(person)).toEqual(before);
  });

  it('is not given away by a copy of the table', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const code = await readCode(house, person, email);
    const [row] = await sql(house, 'select * from email_codes where email = $1', [email]);
    const text = `${userOf(person)} ${email} ${code}`;
    expect(row?.code_hash).toEqual(house.resources.digestCode(text));
    for (const guess of [sha256(code), sha256(text), createCodeDigest([generateTokenKey()])(text)]) {
      expect(row?.code_hash).not.toEqual(guess);
    }
    expect(JSON.stringify(Object.values(row ?? {}))).not.toContain(code);
  });

  it('is read in a mail that says who asked, and carries no link of theirs', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const displayName = 'Ada: win at https://evil.example/x or evil．example <b>&\u202e @you';
    await sql(house, 'update users set display_name = $2 where id = $1', [userOf(person), displayName]);
    const code = await readCode(house, person, email);
    const [text = ''] = mailsTo(house, email);
    expect(text).toContain(code);
    expect(text).toContain('10 minutes');
    expect(text).toContain('If it was not you');
    expect(text).toMatch(/'Ada win at https evil example x or evil[^\n]*', the account of 0x[0-9a-f]{4}…[0-9a-f]{4}/);
    // ours alone
    const { publicUrl } = house.resources;
    expect(text.replace(publicUrl, '')).not.toMatch(/:\/\/|www|\w\.\w|[<>@]/);
  });

  it('of two users at one instant links the address to one of them', async () => {
    const [one, two, email] = [await enterHouse(house), await enterHouse(house), newAddress()];
    const codes = [await readCode(house, one, email), await readCode(house, two, email)];
    const outcomes = await Promise.all([
      submitCode(house, one, email, codes[0] ?? ''),
      submitCode(house, two, email, codes[1] ?? ''),
    ]);
    expect(outcomes.map(({ code }) => code).sort()).toEqual(['IDENTITY_LINKED_TO_OTHER_USER', 'OK']);
  });

  it('is good once, however many hand it in at one instant', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const code = await readCode(house, person, email);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => submitCode(house, person, email, code)));
    const codes = outcomes.map(({ code }) => code).sort();
    expect(codes).toEqual(['EMAIL_CODE_INVALID', 'EMAIL_CODE_INVALID', 'EMAIL_CODE_INVALID', 'OK']);
  });

  it('is swept when it counts no more', async () => {
    const [person, old, young] = [await enterHouse(house), newAddress(), newAddress()];
    await readCode(house, person, old);
    await readCode(house, person, young);
    const age = (by: string, email: string) =>
      sql(
        house,
        `update email_codes set created_at = created_at - $1::interval, expires_at = expires_at - $1::interval
         where email = $2`,
        [by, email],
      );
    await age('61 min', old);
    await age('59 min', young);
    const { database, log } = house.resources;
    await sweepSignIns({ database, log, requestId: 'sweep' });
    const left = await sql(house, 'select email from email_codes where email = any ($1)', [[old, young]]);
    expect(left).toEqual([{ email: young }]);
  });
});
