// Loaded when somebody chooses a demo wallet, since nobody else needs to sign here.
// biome-ignore lint/performance/noBarrelFile: it is a bundle's own entry, and the rest of the package stays out of it
export { privateKeyToAccount } from 'viem/accounts';
