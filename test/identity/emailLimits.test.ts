import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MailServer, startMailServer } from '../support/mailServer.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { askCode, codeIn, mailsTo, otherThan, readCode, submitCode } from './reader.ts';
import { codeOf, enterHouse, rowId, type SignedIn, sql } from './visitor.ts';

const LIMITS = {
  TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
  LIMIT_CHALLENGES_PER_MINUTE: '1000',
  LIMIT_SIGN_INS_PER_MINUTE: '1000',
};

let house: TestTollhouse;
let mailing: TestTollhouse;
let server: MailServer;
beforeAll(async () => {
  server = await startMailServer();
  house = await startTollhouse({ settings: LIMITS });
  mailing = await startTollhouse({
    settings: {
      ...LIMITS,
      SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      MAIL_FROM: 'Tollhouse <no-reply@pay.example>',
      DATABASE_POOL_MIN: '0',
      DATABASE_POOL_MAX: '1',
    },
  });
});
afterAll(async () => {
  await house.stop();
  await mailing.stop();
  await server.stop();
});

let readers = 0;
const newAddress = (): string => `reader${++readers}@example.org`;

/** Lets all that was counted be an hour older. */
async function passHour(): Promise<void> {
  await sql(house, `update rate_limits set window_start = window_start - interval '61 min'`);
  await sql(
    house,
    `update email_codes
     set created_at = created_at - interval '61 min', expires_at = expires_at - interval '61 min'`,
  );
}

/** The codes of one call after the other. */
async function inTurn(calls: readonly (() => Promise<{ readonly code: string }>)[]): Promise<string[]> {
  const codes: string[] = [];
  for (const call of calls) codes.push((await call()).code);
  return codes;
}

describe('codes', () => {
  it('are three an hour of one user, to whatever addresses', async () => {
    const person = await enterHouse(house);
    const ask = (email = newAddress()) => askCode(house, person, email);
    expect(await inTurn([ask, ask, ask, ask].map((call) => () => call()))).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
    const answer = await house.ask(
      'mutation ($email: String!) { createEmailCode(input: { email: $email }) { email } }',
      { email: newAddress() },
      { token: person.accessToken },
    );
    const wait = Number(answer.headers.get('retry-after'));
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      facts: { seconds: wait },
    });
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(3600);
    await passHour();
    expect((await ask()).code).toBe('OK');
  });

  it('are three an hour to one address, whoever asks; who was refused takes none of them', async () => {
    const [flooder, email] = [await enterHouse(house), newAddress()];
    for (let turn = 0; turn < 3; turn += 1) await askCode(house, flooder, newAddress());
    const people = [await enterHouse(house), await enterHouse(house), await enterHouse(house), await enterHouse(house)];
    expect(await inTurn([flooder, ...people].map((person) => () => askCode(house, person, email)))).toEqual([
      'RATE_LIMITED',
      'OK',
      'OK',
      'OK',
      'RATE_LIMITED',
    ]);
    expect(mailsTo(house, email)).toHaveLength(3);
    expect((await askCode(house, people[3] as SignedIn, newAddress())).code).toBe('OK');
  });

  it('are so many an hour of one client, whoever it asks as; another client has its own', async () => {
    const few = await startTollhouse({
      settings: { ...LIMITS, TRUSTED_PROXIES: '1', LIMIT_EMAIL_CODES_PER_CLIENT_PER_HOUR: '4' },
    });
    try {
      const people = [await enterHouse(few), await enterHouse(few), await enterHouse(few)];
      const from = (client: string, turn: number) =>
        few.ask(
          'mutation ($email: String!) { createEmailCode(input: { email: $email }) { email } }',
          { email: newAddress() },
          { token: people[turn % 3]?.accessToken ?? '', headers: { 'x-forwarded-for': client } },
        );
      const codes: string[] = [];
      for (let turn = 0; turn < 5; turn += 1) codes.push(codeOf(await from('203.0.113.1', turn)));
      expect(codes).toEqual(['OK', 'OK', 'OK', 'OK', 'RATE_LIMITED']);
      expect(codeOf(await from('203.0.113.2', 4))).toBe('OK');
      // of one client at one instant, too
      const crowd = await Promise.all(Array.from({ length: 6 }, () => enterHouse(few)));
      const answers = await Promise.all(
        crowd.map(({ accessToken }) =>
          few.ask(
            'mutation ($email: String!) { createEmailCode(input: { email: $email }) { email } }',
            { email: newAddress() },
            { token: accessToken, headers: { 'x-forwarded-for': '203.0.113.3' } },
          ),
        ),
      );
      expect(answers.filter((answer) => codeOf(answer) === 'OK')).toHaveLength(4);
    } finally {
      await few.stop();
    }
  });

  it('are three, too, when many are asked for at one instant', async () => {
    const [person, email, shared] = [await enterHouse(house), newAddress(), newAddress()];
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => askCode(house, person, email)));
    expect(outcomes.filter(({ code }) => code === 'OK')).toHaveLength(3);
    expect(mailsTo(house, email)).toHaveLength(3);
    const people = await Promise.all(Array.from({ length: 6 }, () => enterHouse(house)));
    const theirs = await Promise.all(people.map((each) => askCode(house, each, shared)));
    expect(theirs.map(({ code }) => code).sort()).toEqual([
      ...['OK', 'OK', 'OK'],
      ...['RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED'],
    ]);
  });
});

describe('tries', () => {
  it('are five an hour of one user at one address; a new code brings no more', async () => {
    const [person, other, email] = [await enterHouse(house), await enterHouse(house), newAddress()];
    const code = await readCode(house, person, email);
    const wrong = () => submitCode(house, person, email, otherThan(code));
    const five = ['EMAIL_CODE_INVALID', 'EMAIL_CODE_INVALID', 'EMAIL_CODE_INVALID'];
    expect(await inTurn([wrong, wrong, wrong])).toEqual(five);
    const second = await readCode(house, person, email);
    const wrongAgain = () => submitCode(house, person, email, otherThan(second));
    expect(await inTurn([wrongAgain, wrongAgain, wrongAgain])).toEqual([...five.slice(1), 'RATE_LIMITED']);
    expect((await submitCode(house, person, email, second)).code).toBe('RATE_LIMITED');
    // neither another address nor another user is held up by it
    const elsewhere = newAddress();
    expect((await submitCode(house, person, elsewhere, await readCode(house, person, elsewhere))).code).toBe('OK');
    expect((await submitCode(house, other, email, await readCode(house, other, email))).code).toBe('OK');
    await passHour();
    const third = await readCode(house, person, email);
    expect((await submitCode(house, person, email, third)).code).toBe('IDENTITY_LINKED_TO_OTHER_USER');
  });

  it('are five, too, when many are made at one instant', async () => {
    const [person, email] = [await enterHouse(house), newAddress()];
    const code = await readCode(house, person, email);
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () => submitCode(house, person, email, otherThan(code))),
    );
    expect(outcomes.filter(({ code }) => code === 'EMAIL_CODE_INVALID')).toHaveLength(5);
    expect(outcomes.filter(({ code }) => code === 'RATE_LIMITED')).toHaveLength(7);
    expect((await submitCode(house, person, email, code)).code).toBe('RATE_LIMITED');
  });

  it('are so many an hour of one client, whoever it tries as; another client has its own', async () => {
    const few = await startTollhouse({
      settings: { ...LIMITS, TRUSTED_PROXIES: '1', LIMIT_EMAIL_TRIES_PER_CLIENT_PER_HOUR: '4' },
    });
    try {
      const people = [await enterHouse(few), await enterHouse(few), await enterHouse(few)];
      const email = newAddress();
      const sent: string[] = [];
      // one after the other: what is read is the last mail to the address
      for (const person of people) sent.push(await readCode(few, person, email));
      const from = (client: string, turn: number, code = otherThan(sent[turn % 3] ?? '')) =>
        few.ask(
          'mutation ($input: LinkEmailInput!) { linkEmail(input: $input) { alreadyLinked } }',
          { input: { email, code } },
          { token: people[turn % 3]?.accessToken ?? '', headers: { 'x-forwarded-for': client } },
        );
      const codes: string[] = [];
      for (let turn = 0; turn < 5; turn += 1) codes.push(codeOf(await from('203.0.113.1', turn)));
      expect(codes).toEqual([...Array.from({ length: 4 }, () => 'EMAIL_CODE_INVALID'), 'RATE_LIMITED']);
      expect(codeOf(await from('203.0.113.1', 0, sent[0]))).toBe('RATE_LIMITED');
      expect(codeOf(await from('203.0.113.2', 0, sent[0]))).toBe('OK');
    } finally {
      await few.stop();
    }
  });

  it('at addresses that no code was sent to leave no count behind', async () => {
    const [person, other, email] = [await enterHouse(house), await enterHouse(house), newAddress()];
    await readCode(house, other, email);
    const counts = () => sql(house, 'select key_hash, hits from rate_limits order by key_hash');
    const before = await counts();
    for (const address of [newAddress(), newAddress(), email]) {
      expect((await submitCode(house, person, address, '00000000')).code).toBe('EMAIL_CODE_INVALID');
    }
    expect(await counts()).toEqual(before);
    // of the other the first try counts: for it, and for its client
    await submitCode(house, other, email, '00000000');
    expect((await counts()).length).toBeGreaterThan(before.length);
  });

  it('are counted with the limits lifted, since a code can be guessed', async () => {
    const free = await startTollhouse();
    try {
      const [person, email] = [await enterHouse(free), newAddress()];
      const code = await readCode(free, person, email);
      const wrong = () => submitCode(free, person, email, otherThan(code));
      expect((await inTurn(Array.from({ length: 6 }, () => wrong))).at(-1)).toBe('RATE_LIMITED');
    } finally {
      await free.stop();
    }
  });
});

describe('a mail server', () => {
  it('is handed the code, which links the address', async () => {
    const [person, email] = [await enterHouse(mailing), newAddress()];
    server.mood = {};
    server.mails.length = 0;
    expect((await askCode(mailing, person, email)).code).toBe('OK');
    expect(server.mails.map(({ to }) => to)).toEqual([[email]]);
    const code = codeIn(server.mails[0]?.data ?? '');
    expect((await submitCode(mailing, person, email, code)).code).toBe('OK');
  });

  it('that refuses is told as such, and what was not sent does not count', async () => {
    const [person, email] = [await enterHouse(mailing), newAddress()];
    server.mood = { refuse: { verb: 'RCPT', reply: '451 4.3.0 secret-reason, later' } };
    for (let turn = 0; turn < 5; turn += 1) {
      const answer = await mailing.ask(
        'mutation ($email: String!) { createEmailCode(input: { email: $email }) { email } }',
        { email },
        { token: person.accessToken },
      );
      expect([answer.status, codeOf(answer)]).toEqual([503, 'MAIL_UNAVAILABLE']);
      expect(answer.errors[0]?.extensions.retryable).toBe(true);
      expect(answer.headers.get('retry-after')).not.toBeNull();
      expect(JSON.stringify(answer)).not.toContain('secret-reason');
    }
    const rows = await sql(mailing, 'select from email_codes where user_id = $1', [rowId(person.viewer.user.id)]);
    expect(rows).toEqual([]);
    server.mood = {};
    const asked = () => askCode(mailing, person, email);
    expect(await inTurn([asked, asked, asked, asked])).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
  });

  it('that is waited for holds no connection to the database', { timeout: 30_000 }, async () => {
    const person = await enterHouse(mailing);
    server.mood = { silent: true };
    let over = false;
    const asked = askCode(mailing, person, newAddress()).finally(() => {
      over = true;
    });
    // the pool has one connection
    const stored = () => sql(mailing, 'select from email_codes where user_id = $1', [rowId(person.viewer.user.id)]);
    while ((await stored()).length === 0 && !over);
    const answer = await mailing.ask('{ viewer { role } }', {}, { token: person.accessToken });
    expect([codeOf(answer), over]).toEqual(['OK', false]);
    expect((await asked).code).toBe('MAIL_UNAVAILABLE');
    expect(await stored()).toEqual([]);
    server.mood = {};
  });
});
