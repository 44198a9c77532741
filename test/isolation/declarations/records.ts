import { type Declarations, SOMEBODY } from './law.ts';

/** The logs, and the books of what was done. */
export const RECORDS: Declarations = {
  events: {
    columns: `organization_id id epoch transaction_id position type version aggregate_type aggregate_id
      aggregate_version actor tags data metadata recorded_at`,
    allowed: {
      'OWNER ADMIN': 'select:own insert:own',
      // of its wallets, and so wherever it is a member
      MEMBER: 'select:own insert:ofJoined',
      key: 'select:own',
      'slug token withdrawn newcomer': 'insert:own',
      inside: 'select:own insert:own',
      operator: 'select:all',
    },
    wrong: {
      'OWNER ADMIN slug token withdrawn newcomer': [
        { insert: { actor: 'worker' } },
        { insert: { type: 'payment-order.paid' } },
      ],
      MEMBER: [
        { insert: { type: 'membership.added' } },
        { insert: { type: 'payment-link.created' } },
        { insert: { actor: 'worker' } },
      ],
      inside: [{ insert: { actor: `user:${SOMEBODY}` } }],
    },
  },

  event_epochs: {
    columns: 'epoch system_identifier created_at',
    allowed: { doorkeeper: 'select:all' },
  },

  audit_entries: {
    columns: `organization_id id role user_id session_id request_id table_name row_id verb before after created_at`,
    allowed: {
      'OWNER ADMIN': 'select:own',
      auditor: 'insert:all',
      operator: 'select:all',
    },
  },

  idempotency_keys: {
    columns: `organization_id id principal operation key_hash request_hash result_id expires_at created_at updated_at`,
    allowed: {
      'OWNER ADMIN MEMBER slug': 'select:principal insert:principal',
      'token withdrawn': 'insert:principal',
      'worker inside': 'select:expired delete:expired',
    },
    wrong: { 'OWNER slug': [{ insert: { principal: `user:${SOMEBODY}` } }] },
  },

  _prisma_migrations: {
    columns: 'id checksum finished_at migration_name logs rolled_back_at started_at applied_steps_count',
    allowed: { owner: 'select:all insert:all update:all delete:all' },
  },
};
