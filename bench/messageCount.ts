/** What frontends asked of PostgreSQL. */
export interface MessageCount {
  /** Execute and simple Query: whatever is run, BEGIN and COMMIT included. */
  statements: number;
  /** Sync and simple Query: how often an answer was waited for. */
  roundTrips: number;
}

const EXECUTE = 'E'.charCodeAt(0);
const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);

/** Reads one connection's messages as they come, in pieces of any size, and adds them up. */
export function countMessages(count: MessageCount): (chunk: Buffer) => void {
  // A connection begins with a message that has no type, only a length.
  let headLength = 4;
  let head = Buffer.alloc(0);
  let bodyLeft = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft > 0) {
        const skipped = Math.min(bodyLeft, chunk.length - at);
        bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      const taken = chunk.subarray(at, at + headLength - head.length);
      head = Buffer.concat([head, taken]);
      at += taken.length;
      if (head.length < headLength) continue;
      const type = headLength === 5 ? head[0] : 0;
      if (type === EXECUTE || type === QUERY) count.statements += 1;
      if (type === SYNC || type === QUERY) count.roundTrips += 1;
      bodyLeft = head.readUInt32BE(headLength - 4) - 4;
      head = Buffer.alloc(0);
      headLength = 5;
    }
  };
}
