import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { insertRows, type World } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Runs = Readonly<Record<string, () => ReturnType<CountedTollhouse['count']>>>;

/** What the owner of the first tenant does to the second one, as an operator. */
export function operatorRuns(house: () => { tollhouse: CountedTollhouse; world: World; token: string }): Runs {
  const run =
    (deed: string, input: string, selection: string, more: object = {}) =>
    async () => {
      const { tollhouse, world, token } = house();
      const [{ people } = { people: null }, { organizationId } = { organizationId: '' }] = world.tenants;
      await withSession(tollhouse.database.adminUrl, async (client) => {
        await client.query('delete from operators');
        await insertRows(client, 'operators', [{ user_id: people?.OWNER.userId, granted_by: 'root', reason: 'x' }]);
      });
      return tollhouse.count(
        `mutation ($input: ${input}!) { ${deed}(input: $input) { ${selection} } }`,
        { input: { organizationId: encodeGlobalId('Organization', organizationId), reason: 'a complaint', ...more } },
        token,
      );
    };
  return {
    suspendOrganization: run('suspendOrganization', 'SuspendOrganizationInput', 'changed organization { status }'),
    restoreOrganization: run('restoreOrganization', 'RestoreOrganizationInput', 'changed organization { status }'),
    setSubscription: run('setSubscription', 'SetSubscriptionInput', 'changed organization { status }', {
      tier: 'TEAM',
      maxLinks: 100,
    }),
    impersonate: run('impersonate', 'ImpersonateInput', 'accessToken'),
  };
}
