/** A transfer as it says what it has to do with others. */
export interface Sighting {
  readonly assetId: string;
  readonly sender: string;
  readonly recipient: string;
  /** The order that has it; else those of its sender's whose references its calldata carries, two of several are enough. */
  readonly names: readonly string[];
}

/**
 * Parts of some transfers that may be judged at once, since what one of them finds does not depend on what becomes of the
 * others: those that name one order, and the same one, are a part. Without a name any order of payee and asset may be
 * meant, and the sender's own ones are; so all of those, with what their senders have sent beside, are one part.
 */
export function lanesOf<Transfer extends Sighting>(transfers: readonly Transfer[]): readonly (readonly Transfer[])[] {
  const payeeOf = ({ assetId, recipient }: Transfer): string => `${assetId} ${recipient}`;
  const senderOf = (transfer: Transfer): string => `${payeeOf(transfer)} ${transfer.sender}`;
  const vague = new Set(transfers.filter(({ names }) => names.length !== 1).map(senderOf));
  const lanes = new Map<string, Transfer[]>();
  for (const transfer of transfers) {
    const [name = ''] = transfer.names;
    const lane = vague.has(senderOf(transfer)) ? payeeOf(transfer) : name;
    lanes.set(lane, [...(lanes.get(lane) ?? []), transfer]);
  }
  return [...lanes.values()];
}
