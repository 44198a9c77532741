import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from '../identity/merger.ts';
import { runIn, type SceneOutcome, sceneOf } from '../identity/scenes.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sessionIdOf, sql } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { restore } from './leavers.ts';
import { act, makeOperator } from './operatorHouse.ts';

let house: TestTollhouse;
let owner: SignedIn;
beforeAll(async () => {
  house = await startTollhouse();
  owner = await enterHouse(house);
});
afterAll(() => house.stop());

const idOf = ({ viewer }: SignedIn): string => rowId(viewer.organization.id);
const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);
const codeIn = async (who: SignedIn, ...statements: string[]): Promise<string> =>
  (await runIn(house, sceneOf(who), ...statements)).code;

describe('what a function is told by raw statements', () => {
  it('is no limit that is lifted: a user makes a thousand organizations a day at most', async () => {
    const make = `select from create_organization(uuid_v7(), 'One more', 'org-' || substr(md5(random()::text), 1, 10), '{}', null)`;
    expect(await codeIn(owner, make)).toBe('OK');
    await sql(
      house,
      `insert into rate_limits (key_hash, window_start, hits)
       values (sha256(convert_to('organizations of user ' || $1, 'UTF8')), clock_timestamp(), 1000)`,
      [userOf(owner)],
    );
    expect(await codeIn(owner, make)).toBe('TH465');
    expect(await codeIn(owner, make.replace('null', '1000000'))).toBe('TH465');
  });

  it('is no time without an end: what was deleted is restored within ten years', async () => {
    const gone = await enterHouse(house);
    const elsewhere = await enterHouse(house);
    await join(house, gone, elsewhere.viewer.organization.id, 'MEMBER');
    const scene = sceneOf(gone, { organizationId: idOf(elsewhere) });
    const age = (days: number): Promise<unknown> =>
      sql(house, 'update organizations set deleted_at = now() - make_interval(days => $2) where id = $1', [
        idOf(gone),
        days,
      ]);
    const list = async (days: string): Promise<number> =>
      (await runIn(house, scene, `select from deleted_organizations(${days})`)).count;
    const bring = async (days: string): Promise<unknown> =>
      (await runIn(house, scene, `select restore_organization('${idOf(gone)}', ${days}, '{}') as slug`)).rows[0]?.slug;
    await age(3_651);
    expect([await list('1000000'), await bring('1000000')]).toEqual([0, null]);
    await age(3_649);
    expect([await list('1000000'), await bring('1000000')]).toEqual([1, expect.any(String)]);
    expect([await list('30'), await bring('30')]).toEqual([0, null]);
    expect([await list('null'), await bring('null')]).toEqual([0, null]);
  });

  it('is no invitation without an end', async () => {
    const invite = (until: string): string =>
      `insert into invitations (organization_id, role, address, invited_by_id, expires_at)
       values (current_organization_id(), 'MEMBER', '${newWallet().address.toLowerCase()}', current_user_id(), ${until})`;
    expect(await codeIn(owner, invite(`now() + interval '90 days'`))).toBe('OK');
    expect(await codeIn(owner, invite(`now() + interval '92 days'`))).toBe('23514');
    expect(await codeIn(owner, invite(`'infinity'`))).toBe('23514');
  });

  it('is no other token of what was sent, or of what somebody else sends', async () => {
    const other = await enterHouse(house);
    await join(house, other, owner.viewer.organization.id, 'OWNER');
    await sql(
      house,
      `insert into invitations (organization_id, role, email, token_hash, invited_by_id, expires_at)
       values ($1, 'MEMBER', 'ada@example.org', sha256('first'), $2, now() + interval '1 day')`,
      [idOf(owner), userOf(owner)],
    );
    const renew = `update invitations set token_hash = sha256('second') where email = 'ada@example.org'`;
    const note = `update invitations set sent_at = now() where email = 'ada@example.org'`;
    expect(await codeIn(owner, renew, note)).toBe('OK');
    expect(await codeIn(owner, note, renew)).toBe('42501');
    const scene = sceneOf(other, { organizationId: idOf(owner) });
    expect((await runIn(house, scene, renew)).code).toBe('42501');
    expect((await runIn(house, scene, note)).code).toBe('42501');
  });

  it('tells another organization nothing of where somebody asks from', async () => {
    const elsewhere = await enterHouse(house);
    await join(house, owner, elsewhere.viewer.organization.id, 'MEMBER');
    const tell = (organization: string): string =>
      `insert into events (
         organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
       )
       values ('${organization}', 'wallet.linked', 'wallet', uuid_v7(), 1, current_actor(), '{}', '{}',
         '{"requestId": "raw", "clientAddress": "203.0.113.9", "userAgent": "x"}')`;
    const toldTo = async (organization: string): Promise<unknown> => {
      const look = `select set_config('app.organization_id', '${organization}', true)`;
      const seen = `select metadata - 'correlationId' as metadata from events where metadata ->> 'requestId' = 'raw'`;
      return (await runIn(house, sceneOf(owner), tell(organization), look, seen)).rows[0]?.metadata;
    };
    const told = { requestId: 'raw', source: 'member' };
    expect(await toldTo(idOf(elsewhere))).toEqual(told);
    const client = { clientAddress: '203.0.113.9', userAgent: 'x', sessionId: sessionIdOf(owner) };
    expect(await toldTo(idOf(owner))).toEqual({ ...told, ...client });
  });
});

describe('an operator', () => {
  let operator: SignedIn;
  let requests = 0;
  beforeAll(async () => {
    operator = await enterHouse(house);
    await makeOperator(house, { userId: operator.viewer.user.id });
  });

  const raw = (...statements: string[]): Promise<SceneOutcome> =>
    runIn(
      { database: { ...house.database, gatewayUrl: house.database.operatorUrl } },
      { kind: 'operator', requestId: `raw ${++requests}`, sessionId: sessionIdOf(operator), freshSeconds: 600 },
      ...statements,
    );
  const set = (status: string): string => `update organizations set status = '${status}' where id = '${idOf(owner)}'`;
  const record = (deed: string): string =>
    `insert into operator_actions (organization_id, id, deed, user_id, user_name, session_id, reason, request_id)
     values ('${idOf(owner)}', uuid_v7(), '${deed}', current_user_id(), 'Ada', current_session_id(), 'because',
       current_setting('app.request_id'))`;

  it('suspends and restores nothing by raw statements that is not on record', async () => {
    expect((await raw(set('SUSPENDED'))).code).toBe('42501');
    expect((await raw(record('RESTORE'), set('SUSPENDED'))).code).toBe('42501');
    expect((await raw(record('SUSPEND'), set('SUSPENDED'))).code).toBe('OK');
    expect((await raw(record('SUSPEND'), set('SUSPENDED'), set('ACTIVE'))).code).toBe('42501');
    expect((await raw(record('SUSPEND'), set('SUSPENDED'), record('RESTORE'), set('ACTIVE'))).code).toBe('OK');
  });

  it('gives no subscription by raw statements that is not on record', async () => {
    const give = `update organizations set subscription_tier = 'gold', max_members = 7 where id = '${idOf(owner)}'`;
    expect((await raw(give)).code).toBe('42501');
    expect((await raw(record('SUSPEND'), give)).code).toBe('42501');
    expect((await raw(record('SUBSCRIBE'), give)).code).toBe('OK');
  });

  it('opens nothing that was deleted without a record, and does by the API, which makes one', async () => {
    const gone = await enterHouse(house);
    await sql(house, 'update organizations set deleted_at = now() where id = $1', [idOf(gone)]);
    const reopen = `select reopen_organization('${idOf(gone)}', 30) as slug`;
    expect((await raw(reopen)).code).toBe('42501');
    const asked = { deed: 'restoreOrganization', organizationId: gone.viewer.organization.id } as const;
    const { errors } = await act(house, { ...asked, token: operator.accessToken });
    expect(errors).toEqual([]);
    await sql(house, 'update organizations set deleted_at = now() where id = $1', [idOf(gone)]);
    const again = await enterHouse(house);
    expect((await restore(house, again, gone.viewer.organization.id)).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
  });
});
