import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { link, mutate, prefer, signFor, submitLink, submitStepUp, unlink, walletsOf } from './linker.ts';
import {
  type Attempt,
  codeOf,
  enterHouse,
  getChallenge,
  goodTerms,
  newWallet,
  present,
  refresh,
  rowId,
  type SignedIn,
  sessionIdOf,
  sql,
  submit,
  type Terms,
  type Wallet,
  writeText,
} from './visitor.ts';

let house: TestTollhouse;
let wallet: Wallet;
let person: SignedIn;
let host: string;
let domainId: string;
beforeAll(async () => {
  house = await startTollhouse({ settings: { COOKIES: '1' } });
});
beforeEach(async () => {
  wallet = newWallet();
  person = await enterHouse(house, wallet);
  host = `pay.d${newId()}.com`;
  domainId = await addDomain(host, person);
});
afterAll(() => house.stop());

const organizationOf = ({ viewer }: SignedIn): string => rowId(viewer.organization.id);

/** As test/tenancy/domains.test.ts proves that it comes to be. */
async function addDomain(name: string, owner: SignedIn, verified = true): Promise<string> {
  const [row] = await sql(
    house,
    `insert into organization_domains (organization_id, kind, host, verification_token, verified_at)
     values ($1, 'SUBDOMAIN', $2, md5($2), case when $3 then now() end) returning id`,
    [organizationOf(owner), name, verified],
  );
  return String(row?.id);
}

/** Signs in on the page of a host, with the text that a wallet writes there. */
async function visit(who: Wallet = wallet, on = host, changes: Partial<Terms> = {}): Promise<Attempt> {
  const origin = { origin: `https://${on}` };
  const { nonce } = await getChallenge(house, {}, origin);
  const message = writeText({ ...goodTerms(house, who, nonce), domain: on, uri: `https://${on}`, ...changes });
  return submit(house, { message, signature: await who.signMessage({ message }) }, origin);
}

async function enter(who: Wallet = wallet): Promise<SignedIn> {
  const { code, signedIn } = await visit(who);
  if (!signedIn) throw new Error(`Signing in failed: ${code}`);
  return signedIn;
}

async function isAlive({ accessToken }: SignedIn): Promise<boolean> {
  return codeOf(await house.ask('{ viewer { role } }', {}, { token: accessToken })) === 'OK';
}

async function join(member: SignedIn, organizationId: string, status = 'ACTIVE'): Promise<void> {
  await sql(house, `insert into memberships (organization_id, user_id, role, status) values ($1, $2, 'OWNER', $3)`, [
    organizationId,
    rowId(member.viewer.user.id),
    status,
  ]);
}

describe('an organization’s own domain', () => {
  it('lets its members sign in, to that organization, wherever else they belong', async () => {
    const colleague = newWallet();
    const elsewhere = await enterHouse(house, colleague);
    await join(elsewhere, organizationOf(person));
    const signedIn = await enter(colleague);
    expect(signedIn.viewer).toEqual({ user: elsewhere.viewer.user, organization: person.viewer.organization });
    expect(signedIn.isNewUser).toBe(false);
    const [row] = await sql(house, 'select domain_id, organization_id from sessions where id = $1', [
      sessionIdOf(signedIn),
    ]);
    expect(row).toEqual({ domain_id: domainId, organization_id: organizationOf(person) });
  });

  it('gives out a text of its own page, when its page asks', async () => {
    const origin = { origin: `https://${host}` };
    const { message } = await getChallenge(house, { address: wallet.address }, origin);
    expect(message).toContain(`${host} wants you to sign in`);
    expect(message).toContain(`URI: https://${host}\n`);
    const signature = await wallet.signMessage({ message: message ?? '' });
    expect((await submit(house, { message, signature }, origin)).code).toBe('OK');
  });

  it('answers strangers, and members of other organizations, with one code, and signs nobody up', async () => {
    const before = await sql(house, 'select count(*) from users');
    const [stranger, neighbour, former] = [newWallet(), newWallet(), newWallet()];
    expect((await visit(stranger)).code).toBe('DOMAIN_SIGN_IN_REFUSED');
    expect(await sql(house, 'select count(*) from users')).toEqual(before);
    await enterHouse(house, neighbour);
    await join(await enterHouse(house, former), organizationOf(person), 'LEFT');
    for (const who of [neighbour, former]) expect((await visit(who)).code).toBe('DOMAIN_SIGN_IN_REFUSED');
    const trail = await sql(house, 'select outcome, domain from sign_in_attempts where address = $1', [
      stranger.address.toLowerCase(),
    ]);
    expect(trail).toEqual([{ outcome: 'DOMAIN_SIGN_IN_REFUSED', domain: host }]);
  });

  it.each<[string, (own: string) => { on?: string; changes?: Partial<Terms> }]>([
    ['a host below it', (own) => ({ on: `www.${own}` })],
    ['the host above it', (own) => ({ on: own.replace(/^pay\./, '') })],
    ['it with a port', (own) => ({ on: `${own}:8443` })],
    ['it without TLS', () => ({ changes: { scheme: 'http' } })],
  ])('is not %s', async (_, variant) => {
    const { on = host, changes = {} } = variant(host);
    expect((await visit(wallet, on, changes)).code).toBe('SIWE_DOMAIN_MISMATCH');
  });

  it('is neither a text of another page, nor a page with another text', async () => {
    expect((await visit(wallet, host, { uri: new URL(house.url).origin })).code).toBe('SIWE_URI_MISMATCH');
    const { nonce } = await getChallenge(house);
    const message = writeText({ ...goodTerms(house, wallet, nonce), domain: host, uri: `https://${host}` });
    const signed = { message, signature: await wallet.signMessage({ message }) };
    const ours = { origin: new URL(house.url).origin };
    expect((await submit(house, signed, ours)).code).toBe('SIWE_DOMAIN_MISMATCH');
    // who says nothing of a page is held to the text, and bound by it
    const { signedIn } = await submit(house, signed);
    const bound = { organizationId: person.viewer.organization.id };
    const refused = await mutate(house, signedIn?.accessToken, 'switchOrganization', bound, 'isNewUser');
    expect(refused.code).toBe('SESSION_BOUND');
    const own = { origin: `https://${host}` };
    expect((await present(house, {}, { wallet, headers: own })).code).toBe('SIWE_DOMAIN_MISMATCH');
  });

  it('is nothing before it is verified, while its organization is suspended, and once that is deleted', async () => {
    const other = `pay.d${newId()}.com`;
    await addDomain(other, person, false);
    expect((await visit(wallet, other)).code).toBe('SIWE_DOMAIN_MISMATCH');
    const set = (change: string) =>
      sql(house, `update organizations set ${change} where id = $1`, [organizationOf(person)]);
    await set(`status = 'SUSPENDED'`);
    expect((await visit()).code).toBe('SIWE_DOMAIN_MISMATCH');
    await set(`status = 'ACTIVE'`);
    expect((await visit()).code).toBe('OK');
    await set('deleted_at = now()');
    expect((await visit()).code).toBe('SIWE_DOMAIN_MISMATCH');
  });

  it('is for signing in, and for no other text', async () => {
    const message = (await signFor(house, person.accessToken, 'STEP_UP', wallet)).message.replaceAll(
      /localhost:\d+|http:\/\/localhost:\d+/g,
      (found) => (found.startsWith('http') ? `https://${host}` : host),
    );
    const signed = { message, signature: await wallet.signMessage({ message }) };
    expect((await submitStepUp(house, person.accessToken, signed)).code).not.toBe('OK');
  });
});

describe('a session that was begun on an organization’s own domain', () => {
  it('works there, is listed, and goes on when it is refreshed', async () => {
    const signedIn = await enter();
    expect(await isAlive(signedIn)).toBe(true);
    const { code, signedIn: next } = await refresh(house, signedIn.refreshToken);
    expect([code, next?.viewer.organization]).toEqual(['OK', person.viewer.organization]);
  });

  it('cannot be switched to another organization, where a session of the gateway’s own page can', async () => {
    const { organization } = (await enterHouse(house)).viewer;
    await join(person, rowId(organization.id));
    const input = { organizationId: organization.id };
    const bound = await enter();
    const refused = await mutate(house, bound.accessToken, 'switchOrganization', input, 'isNewUser');
    expect(refused.code).toBe('SESSION_BOUND');
    expect((await mutate(house, person.accessToken, 'switchOrganization', input, 'isNewUser')).code).toBe('OK');
  });

  it('cannot change whose wallets these are, where a session of the gateway’s own page can', async () => {
    const [bound, second, third] = [await enter(), newWallet(), newWallet()];
    await link(house, person, second);
    const [first, other] = await walletsOf(house, person);
    const linking = await signFor(house, person.accessToken, 'LINK', third);
    const stepping = await signFor(house, person.accessToken, 'STEP_UP', wallet);
    const challenge = await mutate(
      house,
      bound.accessToken,
      'createWalletChallenge',
      { purpose: 'LINK', address: third.address },
      'challenge { nonce }',
    );
    expect(challenge.code).toBe('SESSION_BOUND');
    expect((await submitLink(house, bound.accessToken, linking)).code).toBe('SESSION_BOUND');
    expect((await submitStepUp(house, bound.accessToken, stepping)).code).toBe('SESSION_BOUND');
    expect((await unlink(house, bound, other?.id ?? '')).code).toBe('SESSION_BOUND');
    expect((await prefer(house, bound, other?.id ?? '')).code).toBe('SESSION_BOUND');
    expect(await walletsOf(house, person)).toEqual([first, other]);
    expect((await prefer(house, person, other?.id ?? '')).code).toBe('OK');
    expect((await unlink(house, person, other?.id ?? '')).code).toBe('OK');
  });

  it('ends with the domain, or with its proof, and no other session does', async () => {
    const first = await enter();
    await sql(house, 'update organization_domains set verified_at = null where id = $1', [domainId]);
    expect(await isAlive(first)).toBe(false);
    expect((await refresh(house, first.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    await sql(house, 'update organization_domains set verified_at = now() where id = $1', [domainId]);
    const second = await enter();
    const [row] = await sql(house, 'delete from organization_domains where id = $1 returning id', [domainId]);
    expect(row).toEqual({ id: domainId });
    expect(await isAlive(second)).toBe(false);
    expect(await isAlive(person)).toBe(true);
    expect((await visit()).code).toBe('SIWE_DOMAIN_MISMATCH');
  });

  it('does not begin while the domain goes, whichever is first', async () => {
    const attempts = [1, 2, 3, 4].map(() => visit());
    await sql(house, 'delete from organization_domains where id = $1', [domainId]);
    await Promise.all(attempts);
    const alive = await sql(house, 'select id from sessions where domain_id = $1 and ended_at is null', [domainId]);
    expect(alive).toEqual([]);
  });

  it('is asked for in headers, and not kept in cookies', async () => {
    const headers = { origin: `https://${host}`, 'x-tollhouse-csrf': '1' };
    const { message } = await getChallenge(house, { address: wallet.address }, headers);
    const input = { message, signature: await wallet.signMessage({ message: message ?? '' }), transport: 'COOKIE' };
    const { code } = await mutate(house, undefined, 'signInWithEthereum', input, 'accessToken', headers);
    expect(code).toBe('CSRF_REFUSED');
  });
});

describe('the database', () => {
  /** Runs statements as the owner's bound session would, if a command forgot to ask. */
  async function asBound(...statements: string[]): Promise<string> {
    const bound = await enter();
    return withSession(house.database.adminUrl, async (client) => {
      await client.query('begin');
      await client.query(
        `select set_config('app.session_id', $1, true), set_config('app.user_id', $2, true),
           set_config('app.organization_id', $3, true), set_config('app.permissions', permissions_of('OWNER'), true),
           set_config('app.identity_issuer', 'eip155', true), set_config('app.identity_subject', $4, true),
           set_config('app.identities', jsonb_build_array(jsonb_build_object('issuer', 'eip155', 'subject', $4::text))::text, true)`,
        [sessionIdOf(bound), rowId(bound.viewer.user.id), organizationOf(bound), wallet.address.toLowerCase()],
      );
      await client.query('set local role tollhouse_member');
      try {
        for (const statement of statements) await client.query(statement);
        return 'done';
      } catch (error) {
        return String((error as { code?: unknown }).code);
      } finally {
        await client.query('rollback');
      }
    });
  }

  it.each(['update identities set is_primary = is_primary', 'delete from identities', 'select step_up()'])(
    'refuses a bound session by itself: %s',
    async (statement) => {
      expect(await asBound(statement)).toBe('TH409');
    },
  );

  it('lets it do what it is for', async () => {
    expect(await asBound('update organizations set name = name where id = current_organization_id()')).toBe('done');
  });

  it('has nothing switched from one, and none bound to what is not its organization’s', async () => {
    const bound = await enter();
    const copy = (columns: string) =>
      sql(
        house,
        `insert into sessions (user_id, identity_id, organization_id, refresh_hash, expires_at, root_id, domain_id)
         select user_id, identity_id, ${columns} from sessions where id = $1`,
        [sessionIdOf(bound)],
      );
    const neighbour = await enterHouse(house);
    const theirs = await addDomain(`pay.d${newId()}.com`, neighbour);
    await expect(copy('organization_id, refresh_hash, expires_at, id, null')).rejects.toMatchObject({ code: 'TH409' });
    await expect(copy(`organization_id, refresh_hash, expires_at, null, '${theirs}'`)).rejects.toMatchObject({
      code: 'TH401',
    });
    await copy(`organization_id, refresh_hash, expires_at, null, '${domainId}'`);
  });
});

describe('the page of such a domain', () => {
  const preflight = (origin: string) =>
    fetch(house.url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });

  it('may read answers, without credentials, and no other page may', async () => {
    const letIn = await preflight(`https://${host}`);
    expect(letIn.headers.get('access-control-allow-origin')).toBe(`https://${host}`);
    expect(letIn.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(letIn.headers.get('access-control-allow-credentials')).toBeNull();
    expect(letIn.headers.get('vary')).toBe('Origin');
    for (const origin of [
      `http://${host}`,
      `https://${host}:8443`,
      `https://www.${host}`,
      'https://evil.com',
      'null',
    ]) {
      expect([origin, (await preflight(origin)).headers.get('access-control-allow-origin')]).toEqual([origin, null]);
    }
    await sql(house, 'delete from organization_domains where id = $1', [domainId]);
    expect((await preflight(`https://${host}`)).headers.get('access-control-allow-origin')).toBeNull();
  });
});
