import type { Declarations } from './law.ts';

const EVERYBODY = 'public slug token withdrawn OWNER bound clerk ADMIN MEMBER key linkKey payKey operator';

export const CHAIN: Declarations = {
  chains: {
    columns: 'chain_id name testnet public_rpc_url confirmations created_at updated_at finality',
    allowed: {
      [EVERYBODY]: 'select:all',
      'worker inside': 'select:all insert:all update:all',
      doorkeeper: 'select(chain_id finality confirmations):all',
    },
  },

  chain_incarnations: {
    columns: `id chain_id genesis_hash current head_number finalized_number caught_up_at halt_reason created_at
      updated_at safe_number following_since failing_since failure halted_at read_until unwatched_since`,
    allowed: {
      [EVERYBODY]: 'select:all',
      'worker inside': 'select:all insert:all update:all',
      doorkeeper: `select(id chain_id head_number safe_number finalized_number current caught_up_at halt_reason
        unwatched_since):all`,
    },
  },

  assets: {
    columns: 'id chain_id caip19 address symbol name decimals created_at updated_at credits_balance_difference',
    allowed: {
      [EVERYBODY]: 'select:all',
      'worker inside': 'select:all insert:all update:all',
      doorkeeper: 'select(id chain_id caip19 address):all',
    },
  },

  chain_finality_rules: {
    columns: 'id asset_id from_units finality confirmations created_at updated_at',
    allowed: { [EVERYBODY]: 'select:all', 'worker inside': 'select:all insert:all delete:all' },
  },

  chain_blocks: {
    columns: 'id incarnation_id number hash parent_hash created_at updated_at',
    allowed: { 'worker inside': 'select:all insert:all delete:all' },
  },

  chain_transfers: {
    columns: `id incarnation_id transaction_hash ordinal asset_id sender recipient units input block_number block_hash
      block_time orphaned claimed_organization_id claimed_for_id judged_at created_at updated_at
      claimed_as sent_units`,
    allowed: {
      'worker inside': 'select:all insert:all update:all',
      doorkeeper: 'select:all update(claimed_organization_id claimed_for_id claimed_as judged_at):all',
    },
  },

  watched_accounts: {
    columns: 'id chain_id address created_at updated_at sender',
    allowed: {
      'OWNER bound ADMIN payKey': 'insert:fromAnybody',
      doorkeeper: 'insert:all',
      'worker inside': 'select:all delete:fromOne',
    },
    wrong: { 'OWNER bound ADMIN payKey': [{ insert: { sender: `0x${'2'.repeat(40)}` } }] },
  },
};
