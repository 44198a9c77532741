/** What stands against claiming a transfer for an order, as the database says; nothing where it is free. */
export type ClaimVerdict = 'FREE' | 'CLAIMED' | 'UNJUDGED' | 'TAKEN' | 'OLD' | 'LATE';

/** A transfer of the transaction that is claimed. */
export interface ClaimableTransfer {
  readonly sender: string;
  readonly verdict: ClaimVerdict;
}

/**
 * What whoever sent a transfer signs to have it credited to an order; it is good for nothing else, so that whoever reads
 * it can do no more with it than its signer wanted.
 */
export function claimMessage(claim: {
  /** Of the gateway. */
  readonly publicUrl: string;
  /** The order's sixteen bytes, which name it to whoever made it and tell nobody its token. */
  readonly reference: string;
  readonly transactionHash: string;
  readonly chainId: number;
}): string {
  const { publicUrl, reference, transactionHash, chainId } = claim;
  return [
    `${publicUrl} asks you to sign that a transaction of yours pays an order.`,
    '',
    `Order: ${reference}`,
    `Transaction: ${transactionHash}`,
    `Chain: eip155:${chainId}`,
    '',
    'This sends nothing and gives nobody a right to anything of yours.',
  ].join('\n');
}
