import { ROLE_OF } from '../actors.ts';
import type { Control } from './controls.ts';
import { differencesOf, tell } from './differences.ts';
import { privilegeDifferencesOf } from './privileges.ts';
import type { Stage } from './stage.ts';

/** How a fault shows: in what a statement does, in what the catalog says is granted, or once another lock is open. */
export type Finding = 'by a statement' | 'by its privileges' | 'behind another lock' | 'not at all';

/**
 * Conditions of which a part, or all, repeats what another lock holds already; with what opens that lock. That they
 * hold as well is seen then: defence in depth, and no reason to leave them untested.
 */
export const BEHIND: Readonly<Record<string, string>> = {
  // columns that the role may not write
  'sessions_member_update with check': 'grant update (user_id) on sessions to tollhouse_member',
  'sessions_identity_update with check': 'grant update (id) on sessions to tollhouse_identity',
  'identities_member_update with check': 'grant update (user_id) on identities to tollhouse_member',
  'users_member_update with check': 'grant update (id) on users to tollhouse_member',
  'user_profiles_member_update with check': 'grant update (user_id) on user_profiles to tollhouse_member',
  'memberships_member_update with check': 'grant update (organization_id) on memberships to tollhouse_member',
  'organizations_member_update with check': 'grant update (id) on organizations to tollhouse_member',
  'organization_settings_member_update with check':
    'grant update (organization_id) on organization_settings to tollhouse_member',
  'payment_links_member_update with check': 'grant update (organization_id) on payment_links to tollhouse_member',
  'api_keys_member_update with check': 'grant update (organization_id) on api_keys to tollhouse_member',
  'roles_member_update with check': 'grant update (organization_id) on roles to tollhouse_member',
  'invitations_member_update with check': 'grant update (organization_id) on invitations to tollhouse_member',
  'store_configurations_member_update with check':
    'grant update (organization_id) on store_configurations to tollhouse_member',
  'organization_domains_member_update with check':
    'grant update (organization_id) on organization_domains to tollhouse_member',
  'event_deliveries_worker_update with check': 'grant update (organization_id) on event_deliveries to tollhouse_worker',
  'payment_orders_doorkeeper_update with check':
    'grant update (organization_id) on payment_orders to tollhouse_doorkeeper',
  'payment_orders_worker_update with check': 'grant update (organization_id) on payment_orders to tollhouse_worker',
  'payment_credits_worker_update with check': 'grant update (organization_id) on payment_credits to tollhouse_worker',
  'provider_transactions_worker_update with check':
    'grant update (organization_id) on provider_transactions to tollhouse_worker',
  'payment_refunds_worker_update with check': 'grant update (organization_id) on payment_refunds to tollhouse_worker',
  'blockchain_transactions_worker_update with check':
    'grant update (organization_id) on blockchain_transactions to tollhouse_worker',
  // tables that the condition reads, where the role sees no more than the condition asks for
  'users_member_select using': 'alter policy memberships_member_select on memberships using (true)',
  'organizations_member_select using': 'alter policy memberships_member_select on memberships using (true)',
  'organizations_identity_select using': 'alter policy memberships_identity_select on memberships using (true)',
  'roles_member_select using': 'alter policy memberships_member_select on memberships using (true)',
  'roles_member_delete using': 'alter policy memberships_member_select on memberships using (true)',
  'blockchain_transactions_public_select using':
    'alter policy payment_credits_public_select on payment_credits using (true)',
  // both
  'payment_orders_public_insert with check': `
    alter policy payment_link_accepts_public_select on payment_link_accepts using (true);
    grant insert (status, credited_units) on payment_orders to tollhouse_public`,
};

/** Whether the cells of the control's table differ from what is declared, and which sort of cell does. */
export async function find(stage: Stage, { name, table, statement, role }: Control): Promise<Finding> {
  const cast = stage.cast.filter(({ actor }) => role === null || ROLE_OF[actor.name] === role);
  const finding = await under(stage, [statement], async (): Promise<Finding> => {
    for (const placed of cast) {
      if ((await differencesOf(stage, table, placed)).length > 0) return 'by a statement';
    }
    return (await privilegeDifferencesOf(stage, table)).length > 0 ? 'by its privileges' : 'not at all';
  });
  const lock = Object.entries(BEHIND).find(([condition]) => name.startsWith(`${condition} `))?.[1];
  if (finding !== 'not at all' || lock === undefined) return finding;
  for (const placed of cast) {
    const differences = async (): Promise<string> => (await differencesOf(stage, table, placed)).map(tell).join();
    const open = await under(stage, [lock], differences);
    if (open !== (await under(stage, [lock, statement], differences))) return 'behind another lock';
  }
  return 'not at all';
}

/** Runs while the law is another, in a transaction that is undone. */
async function under<Result>(
  { client }: Stage,
  statements: readonly string[],
  run: () => Promise<Result>,
): Promise<Result> {
  await client.query('begin');
  try {
    for (const statement of statements) await client.query(statement);
    return await run();
  } finally {
    await client.query('rollback');
  }
}
