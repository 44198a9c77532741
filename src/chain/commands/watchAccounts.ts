import type { Deed, Transaction } from '../../database/scope.ts';

/**
 * Has the watcher record what arrives at these accounts, from the next block on. The database has a wallet of its own key
 * watched on every chain, also on those that are configured later: it has the same address there, and may be paid on the
 * wrong one. A contract is watched on its own chain alone, since elsewhere its address may be another's.
 */
export function watchAccounts(
  tx: Transaction,
  accounts: readonly { readonly chainId: bigint; readonly address: string }[],
): Deed {
  return tx.$executeRaw`
    /* watchAccounts */
    insert into watched_accounts (chain_id, address)
    select distinct chain_id, address
    from unnest(
      ${accounts.map(({ chainId }) => chainId)}::bigint[],
      ${accounts.map(({ address }) => address)}::text[]
    ) as watched (chain_id, address)
    on conflict do nothing`;
}
