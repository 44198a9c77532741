import type { Deed, Transaction } from '../../database/scope.ts';

/** Has the watcher record what arrives at these accounts, from the next block on. */
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
