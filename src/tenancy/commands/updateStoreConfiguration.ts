import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { storeConfigurationUpdated } from '../events.ts';
import { cleanStore, type StoreWords } from '../model.ts';
import { changeOrganization } from './changeOrganization.ts';

/**
 * Changes how the store of the viewer's organization looks and what it can do; needs `organization:write`.
 * @param input.read how the organization is read, in the packet that changes it
 * @throws STEP_UP_REQUIRED
 */
export async function updateStoreConfiguration<Organization>(
  context: Context,
  input: StoreWords & {
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization>;
  },
): Promise<Done<{ readonly organization: Organization }>> {
  const { idempotencyKey, read, ...given } = input;
  const words = cleanStore(given);
  return changeOrganization(context, {
    operation: 'updateStoreConfiguration',
    idempotencyKey,
    variables: words,
    save: (tx, { organizationId }) => saveStore(tx, organizationId, words),
    fact: (viewer) => storeConfigurationUpdated({ ...viewer, fields: Object.keys(words) }),
    read,
  });
}

function saveStore(tx: Transaction, organizationId: string, { config, theme, layout, features }: StoreWords): Deed {
  const given = (part: unknown): boolean => part !== undefined;
  const stored = (part: JsonObject | null | undefined): string => JSON.stringify(part ?? {});
  return tx.$executeRaw`
    /* updateStoreConfiguration */
    update store_configurations
    set config = case when ${given(config)}::boolean then ${stored(config)}::jsonb else config end,
        theme = case when ${given(theme)}::boolean then ${stored(theme)}::jsonb else theme end,
        layout = case when ${given(layout)}::boolean then ${stored(layout)}::jsonb else layout end,
        features = case when ${given(features)}::boolean then ${stored(features)}::jsonb else features end
    where organization_id = ${organizationId}::uuid`;
}
