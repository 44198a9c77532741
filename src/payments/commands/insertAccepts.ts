import type { Deed, Transaction } from '../../database/scope.ts';
import type { Accept } from './readPrices.ts';

/** Adds the ways to pay a link; the database looks whether they agree with the link and counts what is limited. */
export function insertAccepts(
  tx: Transaction,
  link: { readonly organizationId: string; readonly id: string; readonly accepts: readonly Accept[] },
): Deed {
  const { organizationId, id, accepts } = link;
  const amounts = (of: 'units' | 'minUnits' | 'maxUnits' | 'maxTotalUnits'): (string | null)[] =>
    accepts.map((accept) => accept[of]?.toString() ?? null);
  return tx.$executeRaw`
    /* insertAccepts */
    insert into payment_link_accepts (
      organization_id, payment_link_id, position, asset_id, units, min_units, max_units, max_total_units, pay_to
    )
    select
      ${organizationId}::uuid, ${id}::uuid, place - 1, asset_id, units, min_units, max_units, max_total_units, pay_to
    from unnest(
      ${accepts.map(({ asset }) => asset.id)}::uuid[],
      ${amounts('units')}::numeric[],
      ${amounts('minUnits')}::numeric[],
      ${amounts('maxUnits')}::numeric[],
      ${amounts('maxTotalUnits')}::numeric[],
      ${accepts.map(({ payTo }) => payTo)}::text[]
    ) with ordinality as asked (asset_id, units, min_units, max_units, max_total_units, pay_to, place)`;
}
