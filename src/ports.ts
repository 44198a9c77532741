/** What lies outside our walls, as interfaces; implemented in a domain's `providers/`, joined in main and worker. */

/** The time, as this process knows it: for tokens and logs. Rows and money are timed by the database and the chain. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** A block as a chain's node tells it. Hashes and addresses are in lower case. */
export interface ChainBlockData {
  readonly number: bigint;
  readonly hash: string;
  readonly parentHash: string;
  /** Seconds since 1970, whole. */
  readonly timestamp: bigint;
}

/** A transfer of a coin or token inside one block. */
export interface ChainTransferData {
  readonly transactionHash: string;
  /** The log's place in its own transaction's receipt; -1 for the transaction's own value. */
  readonly ordinal: number;
  /** The token's contract; null for the native coin. */
  readonly token: string | null;
  readonly sender: string;
  readonly recipient: string;
  readonly units: bigint;
  /** What its log says was sent, where less than that arrived; absent where as much did. */
  readonly sentUnits?: bigint;
  /** The transaction's calldata. */
  readonly input: Uint8Array;
}

/** One block with the transfers inside it. */
export interface ChainBlockContent {
  readonly block: ChainBlockData;
  readonly transfers: readonly ChainTransferData[];
}

/** What is to be read of blocks that are final, all at once. */
export interface ChainRange {
  /** The block before the first of them. */
  readonly after: { readonly number: bigint; readonly hash: string };
  readonly last: bigint;
  /** Contracts, in lower case. */
  readonly tokens: ReadonlySet<string>;
  /** Whether transfers of the native coin count. */
  readonly native: boolean;
  /** Whose transfers count, in lower case. */
  readonly accounts: ReadonlySet<string>;
}

/**
 * Reads one chain through its nodes, of which one is asked at a time, but each for a range’s logs. Every call may fail,
 * and then throws.
 */
export interface ChainReader {
  readonly chainId: number;
  /** Has the next calls answered by another node, where there are several. */
  turn(): void;
  /** Of which chain, by id and genesis block, each of the nodes is that answers; throws when none does. */
  histories(): Promise<readonly { readonly chainId: number; readonly genesisHash: string }[]>;
  genesisHash(): Promise<string>;
  headNumber(): Promise<bigint>;
  /** The number of the newest block that the chain itself calls final; null while there is none. */
  finalizedNumber(): Promise<bigint | null>;
  /** The number of the newest block that the chain itself calls safe; 0 while there is none. */
  safeNumber(): Promise<bigint>;
  /** The hash of the block of that number as the chain is now, or null when there is none. */
  hashOf(number: bigint): Promise<string | null>;
  /**
   * The block of that number as the chain is now, with the successful transfers of these tokens (contracts, in lower
   * case) and of the native coin; null when there is none, or when it was replaced while it was read.
   */
  block(number: bigint, tokens: ReadonlySet<string>): Promise<ChainBlockContent | null>;
  /**
   * Of a range of blocks that are final those with transfers to the accounts, with these and no others, and the last one
   * in any case; null when they do not lead on from the block before them, or the node does not know them whole.
   */
  range(wanted: ChainRange): Promise<readonly ChainBlockContent[] | null>;
  /** What accounts have of tokens after the block of that hash, in the order asked. */
  balances(
    blockHash: string,
    holdings: readonly { readonly token: string; readonly account: string }[],
  ): Promise<readonly bigint[]>;
  /** What the token's contract says its decimals are; null when it does not say. */
  decimalsOf(token: string): Promise<number | null>;
  /** What the token's contract says its symbol is; null when it does not say. */
  symbolOf(token: string): Promise<string | null>;
  /** The code of the account on this chain, in hexadecimal digits; null when it has none. */
  codeAt(address: string): Promise<string | null>;
}

/** Whether a signature over a text is an account's. */
export interface WalletVerifier {
  /**
   * What stands behind the address, when the signature is its own; else null. The factory is in lower case: what a
   * contract says has made it, else what its wrapping (ERC-6492) says; null of other accounts, and where neither does.
   * Both are mere claims, which nothing may depend on.
   * @throws SIGNATURE_CHECK_UNAVAILABLE when it could not be checked, SIGNATURE_CHECK_UNSUPPORTED when it cannot be
   */
  verify(claim: {
    readonly address: string;
    readonly chainId: number;
    readonly message: string;
    readonly signature: string;
  }): Promise<{ readonly kind: 'EOA' | 'CONTRACT' | 'EOA_7702'; readonly factory: string | null } | null>;
}

/** Somebody as thirdweb knows them, from their in-app wallet's token. Addresses are in lower case. */
export interface ThirdwebProfile {
  /** Of the in-app wallet, an account of its own key. */
  readonly address: string;
  readonly smartWalletAddress: string | null;
  /** What they have signed in to thirdweb with; each once. */
  readonly profiles: readonly {
    /** `google`, `email`, `phone` and such. */
    readonly type: string;
    readonly id: string;
    /** In lower case. */
    readonly email: string | null;
    readonly emailVerified: boolean;
    /** In the form of E.164. */
    readonly phone: string | null;
  }[];
}

/** A payload of thirdweb's, as its own libraries make it (`LoginPayload`). */
export interface ThirdwebPayload {
  readonly domain: string;
  readonly address: string;
  readonly statement: string;
  readonly uri?: string | null | undefined;
  readonly version: string;
  readonly chain_id?: string | null | undefined;
  readonly nonce: string;
  readonly issued_at: string;
  readonly expiration_time: string;
  readonly invalid_before: string;
  readonly resources?: readonly string[] | null | undefined;
}

/** What thirdweb says of people and of what they have signed. */
export interface ThirdwebAccounts {
  /**
   * Exchanges the auth token of an in-app wallet for whose it is.
   * @throws THIRDWEB_TOKEN_INVALID, THIRDWEB_UNAVAILABLE
   */
  exchange(authToken: string): Promise<ThirdwebProfile>;
  /** Whether thirdweb's own judge takes the payload and its signature of an account's own key; asks no network. */
  agrees(payload: ThirdwebPayload, signature: string): Promise<boolean>;
}

/**
 * What carries money, and says what became of it. What it says is a claim: where the chain could tell, the watcher
 * completes the payment, and never the provider's word.
 */
export interface PaymentProvider {
  /** As rows name it: lower-case letters, digits and dashes. */
  readonly name: string;
  /** Who stands behind what it says: the chain, or a member of the merchant's, whose money it is. */
  readonly standsOn: 'CHAIN' | 'MEMBER';
}

/** A mail to one person, as plain text. */
export interface Mail {
  /** One address, in the form that it is stored in. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Hands mails over to whoever delivers them. */
export interface MailSender {
  /** Throws when the mail could not be handed over; then it may be tried again. */
  send(mail: Mail): Promise<void>;
}

/** Asks the name system. */
export interface DomainResolver {
  /**
   * The texts of a name's TXT records, each whole; none when there is no such name, or no such record of it.
   * @throws DOMAIN_CHECK_UNAVAILABLE when the name system could not be asked, or did not know
   */
  textRecords(name: string): Promise<readonly string[]>;
}
