import type { WorkerContext } from '../../context.ts';
import type { Environment } from '../../environment.ts';

/**
 * Keeps in the database what the settings give to organizations without a subscription of their own: it is asked there,
 * so the process that started last decides for all.
 */
export async function keepSubscriptionDefaults(
  { database, requestId }: Pick<WorkerContext, 'database' | 'requestId'>,
  settings: Pick<
    Environment,
    'SUBSCRIPTION_DEFAULT_TIER' | 'SUBSCRIPTION_DEFAULT_MAX_MEMBERS' | 'SUBSCRIPTION_DEFAULT_MAX_LINKS'
  >,
): Promise<void> {
  const {
    SUBSCRIPTION_DEFAULT_TIER: tier,
    SUBSCRIPTION_DEFAULT_MAX_MEMBERS: members = null,
    SUBSCRIPTION_DEFAULT_MAX_LINKS: links = null,
  } = settings;
  await database.as({ kind: 'worker', requestId }).write((tx) => [
    tx.$executeRaw`
      /* keepSubscriptionDefaults */
      update subscription_defaults
      set tier = ${tier}, max_members = ${members}::int, max_links = ${links}::int
      where (tier, max_members, max_links) is distinct from (${tier}, ${members}::int, ${links}::int)`,
  ]);
}
