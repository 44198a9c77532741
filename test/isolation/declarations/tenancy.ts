import type { Who } from '../actors.ts';
import type { CrowdedWorld } from '../matrix/world.ts';
import { type Declarations, SOMEBODY } from './law.ts';

const KEY_COLUMNS = `organization_id id kind name description prefix scopes created_by_id responsible_id expires_at
  allowed_addresses allowed_origins monthly_limit`;
const INVITATION_COLUMNS = 'organization_id id role role_id email address chain_id invited_by_id expires_at';
const COLLEAGUE = ({ tenants }: CrowdedWorld, { organizationId }: Who): string =>
  tenants.find((tenant) => tenant.organizationId === organizationId)?.people.MEMBER.userId ?? '';

export const TENANCY: Declarations = {
  organizations: {
    columns: `id name slug status deleted_at created_at updated_at description contact_email address metadata
      purge_began_at purged_at subscription_tier subscription_expires_at max_members max_links`,
    belongs: 'id',
    allowed: {
      'OWNER ADMIN MEMBER': 'select:organizationWhole|joined',
      // of the user's other organizations nothing
      bound: `
        select:organizationWhole
        update(name slug description contact_email address metadata):organization`,
      OWNER: 'update(name slug description contact_email address metadata):organization',
      'clerk key linkKey payKey': 'select:organizationWhole',
      'slug token withdrawn': 'select(id name):organizationWhole',
      proved: 'select:joined',
      newcomer: 'insert(id name slug status):organization',
      operator: `
        select:all update(status subscription_tier subscription_expires_at max_members max_links):all`,
      doorkeeper: `
        select:all insert(id name slug):all
        update(deleted_at name slug description contact_email address metadata purge_began_at purged_at):all`,
      auditor: 'select(id slug):all',
    },
  },

  subscription_defaults: {
    columns: 'id is_only tier max_members max_links created_at updated_at',
    allowed: {
      'OWNER bound clerk ADMIN MEMBER key linkKey payKey': 'select:all',
      operator: 'select:all',
      doorkeeper: 'select:all',
      'worker inside': 'select:all update(tier max_members max_links):all',
    },
  },

  organization_settings: {
    columns: 'organization_id id require_step_up created_at updated_at redirect_origins',
    allowed: {
      'OWNER bound clerk ADMIN MEMBER key linkKey payKey': 'select:own',
      'OWNER bound': 'update(require_step_up redirect_origins):own',
      operator: 'select:all',
      doorkeeper: 'select:all insert:all delete:all',
    },
  },

  store_configurations: {
    columns: 'organization_id id config theme layout features created_at updated_at',
    allowed: {
      'OWNER bound ADMIN MEMBER': 'select:own',
      'OWNER bound': 'update(config theme layout features):own',
      'slug token withdrawn': 'select(organization_id theme):own',
      operator: 'select:all',
      doorkeeper: 'select:all insert:all delete:all',
    },
  },

  organization_domains: {
    columns: 'organization_id id kind host verification_token verified_at is_primary created_at updated_at',
    allowed: {
      'OWNER bound ADMIN MEMBER': 'select:own',
      'OWNER bound': `
        insert(organization_id id kind host verification_token):own update(is_primary verified_at):own delete:own`,
      operator: 'select:all',
      doorkeeper: 'select:all update(verified_at is_primary):all delete:all',
    },
  },

  memberships: {
    columns: `organization_id id user_id role status joined_at created_at updated_at left_at job_title department
      invited_by_id role_id`,
    allowed: {
      bound: 'select:own update(job_title role role_id status department):ownActive',
      clerk: 'select:ownSelf',
      OWNER: 'select:own|self update(job_title role role_id status department):ownActive',
      ADMIN: 'select:own|self update(job_title role role_id status department):ownActiveBelowOwner',
      MEMBER: 'select:own|self',
      proved: 'select:self',
      newcomer: 'insert:own',
      operator: 'select:all',
      doorkeeper: `
        select:all
        insert(organization_id user_id role role_id status joined_at left_at job_title department invited_by_id):all
        update(job_title role role_id status joined_at department invited_by_id):all`,
    },
    wrong: {
      OWNER: [{ update: { status: 'LEFT' } }, { update: { status: 'INVITED' } }],
      ADMIN: [{ update: { role: 'OWNER' } }, { update: { status: 'LEFT' } }],
      newcomer: [{ insert: { role: 'ADMIN' } }, { insert: { user_id: ({ guestId }) => guestId } }],
    },
  },

  invitations: {
    columns: `organization_id id role email token_hash address chain_id invited_by_id expires_at revoked_at accepted_at
      accepted_by_id claimed_by_id created_at updated_at role_id sent_at`,
    allowed: {
      'OWNER bound': `
        select(${INVITATION_COLUMNS} sent_at revoked_at accepted_at accepted_by_id created_at updated_at):own
        insert(${INVITATION_COLUMNS} token_hash):own
        update(revoked_at token_hash sent_at):ownPending`,
      ADMIN: `
        select(${INVITATION_COLUMNS} sent_at revoked_at accepted_at accepted_by_id created_at updated_at):own
        insert(${INVITATION_COLUMNS} token_hash):own
        update(revoked_at token_hash sent_at):ownPendingBelowOwner`,
      MEMBER: `select(${INVITATION_COLUMNS} sent_at revoked_at accepted_at accepted_by_id created_at updated_at):own`,
      doorkeeper: 'select:all update(claimed_by_id accepted_at accepted_by_id role_id):all delete:all',
    },
    wrong: {
      'OWNER ADMIN': [{ insert: { invited_by_id: COLLEAGUE } }],
      ADMIN: [{ insert: { role: 'OWNER' } }],
    },
  },

  roles: {
    columns: 'organization_id id name description permissions created_at updated_at',
    allowed: {
      'OWNER bound': `
        select:own insert(organization_id id name description permissions):own
        update(description name permissions):own delete:ownFree`,
      ADMIN: `
        select:own insert(organization_id id name description permissions):ownBelowOwner
        update(description name permissions):ownBelowOwner delete:ownFreeBelowOwner`,
      MEMBER: 'select:own',
      clerk: 'select:ownHeld',
      doorkeeper: 'select:all delete:free',
    },
    wrong: {
      ADMIN: [{ insert: { permissions: '{organization:write}' } }, { update: { permissions: '{organization:write}' } }],
    },
  },

  operators: {
    columns: 'id user_id granted_by reason revoked_at revoked_by revoke_reason created_at updated_at',
    allowed: { doorkeeper: 'select:all insert:all update(revoked_at revoked_by revoke_reason):all' },
  },

  operator_actions: {
    columns: 'organization_id id deed user_id user_name session_id reason request_id expires_at created_at',
    allowed: {
      'OWNER bound ADMIN': 'select:own',
      operator: `
        select:all
        insert(organization_id id deed user_id user_name session_id reason request_id expires_at):selfInSession`,
      doorkeeper: 'select:all',
    },
    wrong: {
      operator: [{ insert: { user_id: SOMEBODY } }, { insert: { session_id: SOMEBODY } }],
    },
  },

  api_keys: {
    columns: `organization_id id kind name description prefix secret_hash scopes created_by_id responsible_id expires_at
      allowed_addresses allowed_origins monthly_limit revoked_at created_at updated_at`,
    allowed: {
      'OWNER ADMIN': `
        select(${KEY_COLUMNS} revoked_at created_at updated_at):own
        insert(${KEY_COLUMNS} secret_hash):own
        update(name description expires_at allowed_addresses allowed_origins monthly_limit revoked_at):ownGood`,
      bound: `select(${KEY_COLUMNS} revoked_at created_at updated_at):own`,
      'key linkKey payKey': `select(${KEY_COLUMNS} revoked_at created_at updated_at):ownKey`,
      doorkeeper: 'select:all update(revoked_at responsible_id):all delete:all',
    },
    wrong: {
      'OWNER ADMIN': [
        { insert: { created_by_id: COLLEAGUE } },
        { insert: { responsible_id: COLLEAGUE } },
        { insert: { responsible_id: null } },
      ],
      ADMIN: [{ insert: { scopes: '{organization:write}' } }],
    },
  },

  api_key_uses: {
    columns: 'organization_id id last_used_at month calls created_at updated_at',
    allowed: {
      'OWNER bound ADMIN': 'select:own',
      'key linkKey payKey': 'select:ownKey',
      doorkeeper: 'select:all insert(organization_id id):all update(last_used_at month calls):all',
    },
  },

  handles: {
    columns: 'id kind value_hash organization_id target_id created_at updated_at',
    allowed: {
      'OWNER bound ADMIN payKey slug token withdrawn': 'insert:own',
      doorkeeper: 'select:all insert:all delete:all',
    },
    wrong: {
      'OWNER ADMIN payKey': [
        { insert: { kind: 'payment-order' } },
        { insert: { kind: 'domain' } },
        { insert: { kind: 'api-key' } },
        { insert: { kind: 'invitation' } },
      ],
      'slug token withdrawn': [{ insert: { kind: 'payment-link' } }],
    },
  },
};
