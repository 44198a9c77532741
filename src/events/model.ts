import type { Context } from '../context.ts';
import { kernelErrors } from '../kernel/errors.ts';

/** Which request a fact came of, and whose that was; the log itself adds what is not to be taken from anybody. */
export function metadataOf({
  requestId,
  client,
}: Pick<Context, 'requestId'> & Partial<Pick<Context, 'client'>>): Readonly<Record<string, string | null>> {
  return { requestId, ...(client && { clientAddress: client.address, userAgent: client.userAgent }) };
}

/** A reader's place in the log; what stands behind it was told later, or was committed later. */
export interface EventPosition {
  readonly epoch: number;
  readonly transactionId: bigint;
  readonly position: bigint;
}

/** Before the first fact. */
export const LOG_START: EventPosition = { epoch: 0, transactionId: 0n, position: 0n };

/** Which facts matter: of any of these types, with all of these tags; what is absent does not narrow it down. */
export interface EventQuery {
  readonly types?: readonly string[] | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
}

const MAX_INT = 2n ** 31n - 1n;
const MAX_BIGINT = 2n ** 63n - 1n;
const CURSOR = /^(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})$/;

/** The position as the API shows it: an opaque text. */
export function writeEventCursor({ epoch, transactionId, position }: EventPosition): string {
  return Buffer.from(`${epoch}.${transactionId}.${position}`).toString('base64url');
}

/** @throws INVALID_CURSOR for a text that `writeEventCursor` did not write */
export function readEventCursor(cursor: string): EventPosition {
  const [, ...parts] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const [epoch = MAX_INT + 1n, transactionId = 0n, position = 0n] = parts.map(BigInt);
  const read = { epoch: Number(epoch), transactionId, position };
  const sound = epoch <= MAX_INT && transactionId <= MAX_BIGINT && position <= MAX_BIGINT;
  if (!sound || writeEventCursor(read) !== cursor) throw kernelErrors.INVALID_CURSOR();
  return read;
}

/** A column of a read table whose truth the log carries. */
export interface ToldColumn {
  /** What the table says, as a text: SQL over its row `r`. */
  readonly shown: string;
  /** The key in the data of facts: the last one that has it tells. */
  readonly fact: string;
  /** What it is as long as nothing was told but that the thing began to be. */
  readonly first: string;
  /** What has one date, as SQL over what was told: as long as that is the same; what was told itself when absent. */
  dated?(told: string): string;
  /**
   * The way back: SQL for each column of the table that says it, over the row `r`.
   * @param told what was told, as a text, in SQL
   * @param at since when it was told without a break, in SQL
   */
  write(told: string, at: string): Readonly<Record<string, string>>;
}

/** A read table that is updated in the transactions that append, as far as it can be made anew from the log. */
export interface Projection {
  readonly table: string;
  /** What its rows are in the log: facts of this kind, with a row's id. */
  readonly aggregate: string;
  readonly columns: Readonly<Record<string, ToldColumn>>;
  /** Triggers that would tell of what was told already, or refuse it. */
  readonly silent: readonly string[];
  /** What else hangs on the rows: statements over the organization `$1` and the ids `$2`, once they say what was told. */
  readonly settle: readonly string[];
}

/** What is said of each column that the log tells, as SQL of one JSON object by its name. */
export function jsonOfColumns({ columns }: Pick<Projection, 'columns'>, say: (column: ToldColumn) => string): string {
  const pairs = Object.entries(columns).map(([name, column]) => `'${name}', ${say(column)}`);
  return `jsonb_build_object(${pairs.join(', ')})`;
}

/** Who works on the facts of the log, each at least once. */
export interface Subscriber<Transaction> {
  /** Of its bookmark. */
  readonly name: string;
  /** The kinds of aggregate whose facts concern it. */
  readonly about: readonly string[];
  /** Works on facts of one organization, and answers what went wrong with which, by the fact's id. */
  work(tx: Transaction, organizationId: string, facts: readonly DeliveredFact[]): Promise<ReadonlyMap<string, string>>;
}

/** A fact as a subscriber is handed it. */
export interface DeliveredFact {
  readonly eventId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
}
