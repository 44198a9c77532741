import type { Declarations } from './law.ts';

const EVERYBODY = 'public slug token withdrawn OWNER bound ADMIN MEMBER key linkKey payKey operator';

export const CHAIN: Declarations = {
  chains: {
    columns: 'chain_id name testnet public_rpc_url confirmations created_at updated_at',
    allowed: { [EVERYBODY]: 'select:all', 'worker inside': 'select:all insert:all update:all' },
  },

  chain_incarnations: {
    columns: `id chain_id genesis_hash current head_number finalized_number caught_up_at halt_reason created_at
      updated_at`,
    allowed: { [EVERYBODY]: 'select:all', 'worker inside': 'select:all insert:all update:all' },
  },

  assets: {
    columns: 'id chain_id caip19 address symbol name decimals created_at updated_at',
    allowed: {
      [EVERYBODY]: 'select:all',
      'worker inside': 'select:all insert:all update:all',
      doorkeeper: 'select(id chain_id):all',
    },
  },

  chain_blocks: {
    columns: 'id incarnation_id number hash parent_hash created_at updated_at',
    allowed: { 'worker inside': 'select:all insert:all delete:all' },
  },

  chain_transfers: {
    columns: `id incarnation_id transaction_hash ordinal asset_id sender recipient units input block_number block_hash
      block_time orphaned claimed_organization_id claimed_for_id judged_at created_at updated_at`,
    allowed: { 'worker inside': 'select:all insert:all update:all' },
  },

  watched_accounts: {
    columns: 'id chain_id address created_at updated_at',
    allowed: { 'OWNER bound ADMIN payKey': 'insert:all', 'worker inside': 'select:all' },
  },
};
