import type { Logger } from 'pino';
import type { Account, HandleKind } from './database/scene.ts';
import type { Database, Scope, Transaction } from './database/scope.ts';
import type { Environment } from './environment.ts';
import type { SessionViewer, Viewer } from './kernel/viewer.ts';
import type { ChainReader, Clock, DomainResolver, MailSender, ThirdwebAccounts, WalletVerifier } from './ports.ts';

/** Where a request comes from. */
export interface Client {
  /** The network address, as far as the configured proxies are believed. */
  readonly address: string;
  /** What limits count by: the address, or the network that an IPv6 address is in. */
  readonly limitKey: string;
  readonly userAgent: string | null;
  /** The `Origin` header, when a browser sent one. */
  readonly origin: string | null;
}

/** Signs and checks the tokens that a session is carried by. */
export interface Tokens {
  /** The access token, and when it ends in milliseconds since 1970. */
  issue(viewer: SessionViewer): Promise<{ token: string; expiresAt: number }>;
  /** The viewer that a valid access token names; throws UNAUTHENTICATED for any other text. */
  verify(token: string): Promise<SessionViewer>;
  /** When the access token ends that `verify` answered this viewer for, in milliseconds since 1970. */
  endOf(viewer: SessionViewer): number;
  /** The open parts of all keys, for whoever checks our access tokens: a JSON Web Key Set (RFC 7517). */
  readonly openKeys: { readonly keys: readonly Readonly<Record<string, string>>[] };
  /** The refresh token that follows a spent one; always the same for the same one. */
  successor(refreshToken: string): string;
}

/** Tokens that a browser keeps for its page, where the page's own code cannot read them. */
export interface TokenCookies {
  /** Whether it is cookies that say who asks. */
  readonly present: boolean;
  /** The refresh token that a cookie brought; null as well where a header says who asks. */
  readonly refreshToken: string | null;
  /** Throws COOKIES_DISABLED or CSRF_REFUSED when this request may not be answered with tokens in cookies. */
  assertAllowed(): void;
  /** Hands tokens to the browser; those that it had are replaced. */
  keep(tokens: { readonly accessToken: string; readonly refreshToken: string; readonly expiresAt: Date }): void;
  /** Takes the tokens away from the browser. */
  clear(): void;
}

/** What subscriptions are kept going by. */
export interface Streams {
  /** Takes a place for one more stream of this session and client; answers how to give it back. */
  take(asker: { readonly viewer: Viewer | null; readonly client: Client }): () => void;
  /** Calls back when something of these topics may have changed; answers how to stop that. */
  listen(topics: readonly string[], hear: () => void): () => void;
  stop(): Promise<void>;
}

/** What the gateway is made of, once for the whole process. */
export interface Resources {
  readonly environment: Environment;
  /** Origins that people may sign in from; the first is the one that is offered when none is named. */
  readonly signInOrigins: readonly string[];
  readonly signInChainIds: readonly number[];
  /** Accounts that nobody may sign in with, in lower case: in production those whose keys everybody knows. */
  readonly refusedAccounts: ReadonlySet<string>;
  /** The address that links point at, without a slash at its end. */
  readonly publicUrl: string;
  readonly database: Database;
  /** The same database by the operator's own login; null where that is not configured. */
  readonly operatorDatabase: Database | null;
  readonly tokens: Tokens;
  readonly walletVerifier: WalletVerifier;
  /** Asks a chain's nodes, outside of every transaction; null of a chain that is not configured. */
  readonly chainReader: (chainId: number) => ChainReader | null;
  /** Null where thirdweb is not configured. */
  readonly thirdwebAccounts: ThirdwebAccounts | null;
  readonly domainResolver: DomainResolver;
  /** Null in production without SMTP_URL: there is nobody to hand a mail to. */
  readonly mailSender: MailSender | null;
  /** The digest of what is too short for a hash alone, under a key that no copy of the database holds. */
  readonly digestCode: (text: string) => Buffer<ArrayBuffer>;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes a newcomer's personal organization inside the sign-up's transaction. */
  readonly foundOrganization: (
    context: Pick<Context, 'requestId' | 'client'>,
    tx: Transaction,
    founder: Founder,
  ) => Promise<void>;
}

/** Somebody who has just signed up, with the id that their organization gets. */
export interface Founder {
  readonly userId: string;
  readonly organizationId: string;
  readonly displayName: string;
  /** How the organization is called; made from the founder's name when absent. */
  readonly organizationName?: string;
  readonly organizationSlug?: string;
}

/** What every command is handed: who asks, from where, and the database as they may see it. */
export interface Context extends Resources {
  readonly requestId: string;
  readonly client: Client;
  /** The `Idempotency-Key` header, which counts for each mutation field of the request. */
  readonly idempotencyKey: string | null;
  readonly cookies: TokenCookies;
  /** Who is asking; null without a session and without an API key. */
  readonly viewer: Viewer | null;
  /** The database as the viewer sees it; as anybody does, when nobody is signed in. */
  readonly scope: Scope;
  /**
   * The database as the operator sees it, across tenants; each statement asks again whether the viewer is one. Throws
   * OPERATOR_NOT_CONFIGURED where there is no login for it.
   */
  operatorScope(): Scope;
  /** The database as the narrow role of signing in sees it. */
  identityScope(claim: {
    readonly sessionId?: string;
    readonly account?: Account;
    /** What was proved together with the account. */
    readonly beside?: readonly Account[];
    readonly newcomer?: { readonly userId: string; readonly organizationId: string };
  }): Scope;
  /**
   * The database as the viewer sees it who has just proved this account, in this request: it may be linked, and what was
   * proved together with it, but no other.
   */
  provedScope(account: Account, beside?: readonly Account[]): Scope;
  /** The database as a payer sees it who came with this value. */
  handleScope(kind: HandleKind, value: string): Scope;
  /** Makes the rest of this request the request of somebody who has just signed in. */
  become(viewer: SessionViewer | null): void;
}

/** What background work is handed: nobody asks, so there is no viewer. */
export interface WorkerContext extends Pick<Resources, 'database' | 'log'> {
  readonly requestId: string;
}
