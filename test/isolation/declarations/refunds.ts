import type { Declarations } from './law.ts';

export const REFUNDS: Declarations = {
  unmatched_payments: {
    columns: `organization_id id blockchain_transaction_id reason status payment_order_id note resolved_by_id resolved_at
      created_at updated_at`,
    allowed: {
      'OWNER bound ADMIN MEMBER key': 'select:own',
      'operator auditor': 'select:all',
      doorkeeper: `
        select:all insert:all
        update(status reason payment_order_id note resolved_by_id resolved_at):all`,
    },
  },

  payment_refunds: {
    columns: `organization_id id payment_order_id unmatched_payment_id incarnation_id asset_id units pay_from status cause
      reason requested_by_id destination destination_source destination_reason destination_by_id head_number addressed_at finality
      required_confirmations blockchain_transaction_id completed_at created_at updated_at withdrawn called_off_at`,
    allowed: {
      'OWNER bound ADMIN MEMBER key': 'select:own',
      token: `
        select(organization_id id payment_order_id incarnation_id asset_id units status destination created_at):ofTarget`,
      worker: 'select:all',
      inside: 'select:all update(status blockchain_transaction_id completed_at called_off_at):own',
      'operator auditor': 'select:all',
      doorkeeper: `
        select:all insert:all
        update(status destination destination_source destination_reason destination_by_id head_number addressed_at
          blockchain_transaction_id withdrawn called_off_at):all`,
    },
    wrong: { inside: [{ update: { units: '2' } }, { update: { destination: `0x${'1'.repeat(40)}` } }] },
  },

  provider_transactions: {
    columns: `organization_id id provider reference kind status asset_id units payment_order_id payment_refund_id
      blockchain_transaction_id note raw recorded_by_id created_at updated_at void_reason voided_by_id voided_at
      transaction_hash`,
    allowed: {
      'OWNER bound ADMIN MEMBER key': 'select:own',
      worker: 'select:all',
      inside: 'select:all update(status):own',
      operator: 'select:all',
      doorkeeper: `
        select:all insert:all
        update(kind status asset_id units payment_order_id payment_refund_id blockchain_transaction_id raw
          void_reason voided_by_id voided_at):all`,
    },
    wrong: { inside: [{ update: { units: '2' } }] },
  },
};
