import { type Declarations, SOMEBODY } from './law.ts';

/** The logs, and the books of what was done. */
export const RECORDS: Declarations = {
  events: {
    columns: `organization_id id epoch transaction_id position type version aggregate_type aggregate_id
      aggregate_version actor tags data metadata recorded_at`,
    allowed: {
      'OWNER bound ADMIN': 'select:own insert:own',
      // of its wallets, and so wherever it is a member
      MEMBER: 'select:own insert:ofJoined',
      clerk: 'insert:own',
      'slug token withdrawn newcomer payKey': 'insert:own',
      inside: 'select:own insert:own',
      operator: 'select:all insert:asOperator',
      // of what became of users, memberships and organizations
      doorkeeper: `
        select(organization_id id epoch transaction_id position type tags aggregate_type aggregate_id
          aggregate_version metadata):all
        insert:all`,
      auditor: 'select:all',
    },
    wrong: {
      operator: [{ insert: { actor: 'worker' } }, { insert: { type: 'organization.updated' } }],
      'OWNER ADMIN slug token withdrawn newcomer': [
        { insert: { actor: 'worker' } },
        { insert: { type: 'payment-order.paid' } },
      ],
      OWNER: [
        {
          insert: {
            type: 'organization.updated',
            organization_id: ({ tenants }, { organizationId }) =>
              tenants.find((tenant) => tenant.organizationId !== organizationId)?.organizationId ?? '',
          },
        },
      ],
      ADMIN: [{ insert: { type: 'organization.updated' } }],
      MEMBER: [
        { insert: { type: 'membership.added' } },
        { insert: { type: 'invitation.created' } },
        { insert: { type: 'invitation.revoked' } },
        { insert: { type: 'membership.updated' } },
        { insert: { type: 'membership.removed' } },
        { insert: { type: 'role.created' } },
        { insert: { type: 'role.updated' } },
        { insert: { type: 'role.deleted' } },
        { insert: { type: 'api-key.created' } },
        { insert: { type: 'api-key.updated' } },
        { insert: { type: 'api-key.confirmed' } },
        { insert: { type: 'api-key.revoked' } },
        { insert: { type: 'payment-link.created' } },
        { insert: { type: 'payment-link.updated' } },
        { insert: { type: 'payment-link.activated' } },
        { insert: { type: 'payment-link.paused' } },
        { insert: { type: 'payment-link.archived' } },
        { insert: { type: 'payment-link.deleted' } },
        { insert: { actor: 'worker' } },
      ],
      payKey: [
        { insert: { actor: `key:${SOMEBODY}` } },
        { insert: { actor: `user:${SOMEBODY}` } },
        { insert: { type: 'wallet.linked' } },
        { insert: { type: 'organization.updated' } },
        { insert: { type: 'membership.added' } },
      ],
      inside: [{ insert: { actor: `user:${SOMEBODY}` } }],
      doorkeeper: [{ insert: { type: 'payment-order.paid' } }],
    },
  },

  event_epochs: {
    columns: 'epoch system_identifier created_at',
    allowed: { doorkeeper: 'select:all' },
  },

  event_bookmarks: {
    columns: 'subscriber epoch transaction_id position created_at updated_at',
    allowed: { doorkeeper: 'select:all insert:all update(epoch transaction_id position):all' },
  },

  event_deliveries: {
    columns: 'organization_id id subscriber event_id attempts error due_at processed_at created_at updated_at',
    allowed: {
      worker: 'select:all delete:processedLongAgo',
      inside: 'select:all update(attempts error due_at processed_at):ownUnprocessed delete:processedLongAgo',
      doorkeeper: 'insert:all',
    },
  },

  audit_entries: {
    columns: `organization_id id role user_id session_id request_id table_name row_id verb before after created_at
      epoch transaction_id log_position key_id`,
    allowed: {
      'OWNER bound ADMIN': 'select:own',
      auditor: 'select:all insert:all',
      operator: 'select:all',
    },
  },

  audit_seals: {
    columns: 'organization_id id position hash epoch transaction_id log_position created_at',
    allowed: {
      'OWNER bound ADMIN': 'select:own',
      auditor: 'select:all insert:all',
      operator: 'select:all',
    },
  },

  idempotency_keys: {
    columns: `organization_id id principal operation key_hash request_hash result_id expires_at created_at updated_at`,
    allowed: {
      'OWNER bound clerk ADMIN MEMBER payKey slug': 'select:principal insert:principal',
      // what it could do under one, it may not do
      'key linkKey': 'select:principal',
      'token withdrawn': 'insert:principal',
      'worker inside': 'select:expired delete:expired',
    },
    wrong: { 'OWNER payKey slug': [{ insert: { principal: `user:${SOMEBODY}` } }] },
  },

  _prisma_migrations: {
    columns: 'id checksum finished_at migration_name logs rolled_back_at started_at applied_steps_count',
    allowed: { owner: 'select:all insert:all update:all delete:all' },
  },
};
