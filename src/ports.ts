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
  /** The transaction's calldata. */
  readonly input: Uint8Array;
}

/** One block with the transfers inside it. */
export interface ChainBlockContent {
  readonly block: ChainBlockData;
  readonly transfers: readonly ChainTransferData[];
}

/** Reads one chain through its node. Every call may fail, and then throws. */
export interface ChainReader {
  readonly chainId: number;
  /** What the node says its chain id is. */
  chainIdOfNode(): Promise<number>;
  genesisHash(): Promise<string>;
  headNumber(): Promise<bigint>;
  /** The number of the newest block that the chain itself calls final; 0 while there is none. */
  finalizedNumber(): Promise<bigint>;
  /** The hash of the block of that number as the chain is now, or null when there is none. */
  hashOf(number: bigint): Promise<string | null>;
  /**
   * The block of that number as the chain is now, with the successful transfers of these tokens (contracts, in lower
   * case) and of the native coin; null when there is none, or when it was replaced while it was read.
   */
  block(number: bigint, tokens: ReadonlySet<string>): Promise<ChainBlockContent | null>;
  /** What the token's contract says its decimals are; null when it does not say. */
  decimalsOf(token: string): Promise<number | null>;
}

/** Whether a signature over a text is an account's. */
export interface WalletVerifier {
  /**
   * What stands behind the address, when the signature is its own; else null.
   * @throws SIGNATURE_CHECK_UNAVAILABLE when it could not be checked, SIGNATURE_CHECK_UNSUPPORTED when it cannot be
   */
  verify(claim: {
    readonly address: string;
    readonly chainId: number;
    readonly message: string;
    readonly signature: string;
  }): Promise<'EOA' | 'CONTRACT' | 'EOA_7702' | null>;
}
