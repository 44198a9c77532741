// The package's entry `tollhouse/client`: what is not here is nobody else's.
// biome-ignore-all lint/performance/noBarrelFile: a package has one door
export {
  type CallOptions,
  createTollhouseClient,
  type MutateOptions,
  type SubscribeOptions,
  type TollhouseClient,
  type TollhouseClientOptions,
} from './createTollhouseClient.ts';
export type { TypedDocument } from './document.ts';
export { graphql, type ResultOf, type TollhouseSchema, type VariablesOf } from './graphql.ts';
export type { TokenStorage } from './keyring.ts';
export type { SignInOptions, ThirdwebPayload, ThirdwebProof } from './signIn.ts';
export type { Session, SessionListener, SessionReason } from './state.ts';
export type { StepUpOptions } from './stepUp.ts';
export { type AnsweredError, TollhouseError } from './tollhouseError.ts';
export { type ReceivedWebhook, type VerifiedWebhook, verifyWebhook, type WebhookHeaders } from './verifyWebhook.ts';
export type { AccountHolder, SigningAccount, SigningClient, Wallet, WalletProvider } from './wallet.ts';
