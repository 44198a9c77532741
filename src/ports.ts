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

/** Reads one chain through its node. Every call may fail, and then throws. */
export interface ChainReader {
  readonly chainId: number;
  chainIdOfNode(): Promise<number>;
  genesisHash(): Promise<string>;
  /** The newest block. */
  head(): Promise<ChainBlockData>;
  /** The number of the newest block that the chain itself calls final; null when it has none yet. */
  finalizedNumber(): Promise<bigint | null>;
  /** The block of that number on the chain as it is now, or null when there is none. */
  block(number: bigint): Promise<ChainBlockData | null>;
  /** Successful transfers of these tokens, and of the native coin, inside exactly this block. */
  transfers(block: ChainBlockData, tokens: readonly string[]): Promise<readonly ChainTransferData[]>;
}

/** Whether a signature over a text is an account's. */
export interface WalletVerifier {
  verify(claim: { readonly address: string; readonly message: string; readonly signature: string }): Promise<boolean>;
}
