import { type Declarations, SOMEBODY } from './law.ts';

export const IDENTITY: Declarations = {
  users: {
    columns: 'id display_name avatar_url status deleted_at created_at updated_at merged_into_id',
    belongs: 'id',
    allowed: {
      'OWNER ADMIN MEMBER': `
        select(id display_name avatar_url created_at merged_into_id):person|formerSelf|colleague
        update(display_name avatar_url):person`,
      // what is a person's own is out of its reach, beside its name
      bound: 'select(id display_name avatar_url created_at merged_into_id):person|formerSelf|colleague',
      clerk: 'select(id display_name avatar_url created_at merged_into_id):person',
      proved: 'select:person',
      newcomer: 'insert(id display_name status):person',
      operator: 'select:all',
      doorkeeper: 'select:all update(display_name avatar_url deleted_at merged_into_id):all',
    },
  },

  user_profiles: {
    columns: `id user_id user_name given_name family_name bio time_zone language preferences created_at updated_at`,
    allowed: {
      'OWNER ADMIN MEMBER': `
        select:self insert:self
        update(user_name given_name family_name bio time_zone language preferences):self`,
      operator: 'select:all',
      doorkeeper: `
        select:all insert(user_id preferences):all
        update(user_name given_name family_name bio time_zone language preferences):all`,
    },
  },

  identities: {
    columns: `id user_id kind issuer subject address chain_id wallet_kind wallet_source proved_at created_at
      updated_at is_primary version email email_verified phone controlled_by_id`,
    allowed: {
      'OWNER ADMIN': 'select:self update(is_primary version):self delete:self',
      'bound clerk': 'select:begunWith',
      // who has just proved a wallet that nobody has
      MEMBER: `
        select:self
        insert(id user_id kind issuer subject address chain_id wallet_kind wallet_source is_primary email email_verified
          phone controlled_by_id):selfAccount
        update(is_primary version):self delete:self`,
      proved: 'select:account',
      newcomer: 'insert:self',
      operator: 'select:all',
      doorkeeper: 'select:all update(user_id is_primary):all delete:all',
    },
    wrong: { 'MEMBER newcomer': [{ insert: { issuer: 'nowhere' } }, { insert: { subject: 'another' } }] },
  },

  sessions: {
    columns: `id user_id identity_id organization_id refresh_hash generation rotations client_address user_agent
      expires_at ended_at end_reason created_at updated_at proof_message proof_signature root_id proved_at domain_id`,
    belongs: 'id',
    allowed: {
      'OWNER ADMIN MEMBER': `
        select(id user_id identity_id organization_id root_id generation rotations client_address user_agent proved_at
          expires_at ended_at end_reason created_at updated_at domain_id):self
        update(ended_at end_reason):selfOpen`,
      'bound clerk': `
        select(id user_id identity_id organization_id root_id generation rotations client_address user_agent proved_at
          expires_at ended_at end_reason created_at updated_at domain_id):session
        update(ended_at end_reason):openSession`,
      proved: `
        select:session insert:selfSession update(root_id refresh_hash generation rotations ended_at end_reason):openSession`,
      late: 'select:session',
      newcomer: 'insert:selfSession',
      doorkeeper: 'select:all update(proved_at ended_at end_reason):all',
    },
    wrong: {
      'OWNER bound ADMIN MEMBER': [
        { update: { ended_at: null } },
        { update: { expires_at: 'infinity' } },
        { update: { proved_at: 'infinity' } },
      ],
      proved: [{ update: { expires_at: 'infinity' } }, { update: { proved_at: 'infinity' } }],
      newcomer: [{ insert: { id: SOMEBODY } }],
    },
  },

  merge_tickets: {
    columns: 'id ticket_hash user_id identity_id other_user_id expires_at created_at updated_at',
    allowed: {
      doorkeeper: 'select:all insert:all delete:all',
      'worker inside': 'select:expired delete:expired',
    },
  },

  email_codes: {
    columns: 'id user_id email code_hash used_at expires_at created_at updated_at client_hash',
    allowed: {
      doorkeeper: `
        select:all insert(user_id email code_hash client_hash created_at expires_at):all update(used_at):all delete:all`,
      'worker inside': 'select:anHourAgo delete:anHourAgo',
    },
  },

  challenges: {
    columns: 'id nonce_hash purpose domain address chain_id message_hash expires_at created_at updated_at user_id',
    allowed: {
      'identity proved late newcomer': 'select:all insert:unexpired delete:all',
      'worker inside': 'select:expired delete:expired',
    },
    wrong: { identity: [{ insert: { expires_at: '2020-01-01' } }] },
  },

  sign_in_attempts: {
    columns: 'id outcome domain chain_id address user_id client_address request_id created_at updated_at purpose',
    allowed: {
      'OWNER ADMIN MEMBER': 'insert(purpose outcome domain chain_id address user_id client_address request_id):self',
      'identity proved late newcomer': 'insert:all',
      operator: 'select:all',
    },
    wrong: { OWNER: [{ insert: { purpose: 'SIGN_IN' } }, { insert: { outcome: 'SIWE_MALFORMED' } }] },
  },

  sign_in_failures: {
    columns: 'id key_hash failures failed_at created_at updated_at',
    allowed: {
      doorkeeper: 'select:all insert:all update:all delete:all',
      'worker inside': 'select:longAgo delete:longAgo',
    },
  },

  rate_limits: {
    columns: 'id key_hash window_start hits created_at updated_at',
    allowed: {
      doorkeeper: 'select:all insert:all update:all',
      'worker inside': 'select:stale delete:stale',
    },
  },
};
