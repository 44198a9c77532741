/** The tables that belong to no tenant, and why. */
export const WITHOUT_TENANT: Readonly<Record<string, string>> = {
  organizations: 'the tenants themselves',
  users: 'a person may be a member of several organizations',
  identities: 'proofs of being a user',
  sessions: 'a user’s, in one organization after another',
  challenges: 'asked for before anybody is known',
  sign_in_attempts: 'made before anybody is known',
  rate_limits: 'of clients and wallets',
  handles: 'looked up before the tenant is known',
  chains: 'common knowledge',
  chain_incarnations: 'common knowledge',
  assets: 'common knowledge',
  chain_blocks: 'what the chain says, whoever is concerned',
  chain_transfers: 'what the chain says, whoever is concerned',
  watched_accounts: 'several tenants may be paid at one account',
  event_epochs: 'of the whole log',
  _prisma_migrations: 'the runner’s own book',
};
