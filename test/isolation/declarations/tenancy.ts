import type { Declarations } from './law.ts';

export const TENANCY: Declarations = {
  organizations: {
    columns: 'id name slug status deleted_at created_at updated_at',
    belongs: 'id',
    allowed: {
      'OWNER ADMIN MEMBER': 'select:organizationWhole|joined',
      key: 'select:organizationWhole',
      'slug token withdrawn': 'select(id name):organizationWhole',
      proved: 'select:joined',
      newcomer: 'insert:organization',
      'operator doorkeeper': 'select:all',
    },
  },

  memberships: {
    columns: 'organization_id id user_id role status joined_at created_at updated_at',
    allowed: {
      'OWNER ADMIN': 'select:own|self insert:own',
      MEMBER: 'select:own|self',
      key: 'select:own',
      proved: 'select:self',
      newcomer: 'insert:own',
      'operator doorkeeper': 'select:all',
    },
    wrong: {
      ADMIN: [{ insert: { role: 'OWNER' } }],
      newcomer: [{ insert: { role: 'ADMIN' } }, { insert: { user_id: ({ guestId }) => guestId } }],
    },
  },

  handles: {
    columns: 'id kind value_hash organization_id target_id created_at updated_at',
    allowed: {
      'OWNER ADMIN slug token withdrawn': 'insert:own',
      doorkeeper: 'select:all',
    },
    wrong: {
      'OWNER ADMIN': [{ insert: { kind: 'payment-order' } }],
      'slug token withdrawn': [{ insert: { kind: 'payment-link' } }],
    },
  },
};
