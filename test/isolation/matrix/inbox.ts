import type pg from 'pg';
import { insertRows, type Tenant, type World } from '../../support/tenants.ts';

/** An entry of each tenant's inbox, which has the id of its first transaction; refunds have those of their orders. */
export async function seedInbox(
  client: pg.Client,
  { incarnationId, coin, oddTransactionId }: Omit<World, 'tenants'> & { readonly oddTransactionId: string },
  tenants: readonly Tenant[],
): Promise<void> {
  await insertRows(
    client,
    'unmatched_payments',
    tenants.map(({ organizationId, transactions }) => ({
      organization_id: organizationId,
      id: transactions[0]?.id,
      blockchain_transaction_id: oddTransactionId,
      reason: 'NO_ORDER',
      status: 'OPEN',
    })),
  );
  await insertRows(
    client,
    'payment_refunds',
    tenants.flatMap(({ organizationId, orders, people }) =>
      orders.map(({ id }) => ({
        organization_id: organizationId,
        id,
        payment_order_id: id,
        incarnation_id: incarnationId,
        asset_id: coin.id,
        units: 1,
        pay_from: people.OWNER.address,
        status: 'REQUESTED',
        cause: 'MEMBER',
        finality: 'CONFIRMATIONS',
        required_confirmations: 2,
      })),
    ),
  );
  await insertRows(
    client,
    'provider_transactions',
    tenants.map(({ organizationId, orders }) => ({
      organization_id: organizationId,
      id: orders[0]?.id,
      provider: 'manual',
      reference: 'receipt 1',
      kind: 'PAYMENT',
      status: 'CLAIMED',
      asset_id: coin.id,
      units: 1,
      payment_order_id: orders[0]?.id,
      raw: {},
    })),
  );
}
