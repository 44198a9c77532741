import type pg from 'pg';
import { prepareValue } from 'pg/lib/utils.js';
import { keepExact } from './exactJson.ts';

/** Turns the text form of a column into a value; chosen by the column's type. */
type Parser = (text: string) => unknown;

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}

/** A column as the server describes it. */
interface DescribedField extends Field {
  /** The table that it is a column of; 0 when it was computed. */
  readonly tableID: number;
}

/** What one statement of a packet answered: one array a row, in the order of `fields`. */
export interface PacketResult {
  readonly command: string;
  readonly rowCount: number;
  readonly fields: readonly Field[];
  readonly rows: unknown[][];
}

/** How column types become values, as in `pg`'s own queries. */
export interface TypeParsers {
  getTypeParser(oid: number, format: 'text'): Parser;
}

/** One statement with its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** One statement as `@prisma/adapter-pg` hands it over. */
export interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly types: TypeParsers;
}

/** A statement that this connection has prepared; its columns are known once it has been described. */
interface Prepared {
  readonly name: string;
  columns?: Columns;
}

interface Columns {
  readonly fields: readonly Field[];
  readonly parsers: readonly Parser[];
}

/** The type in which Postgres hands over relations, as computed columns; a table's own column is nobody's to change. */
const JSONB = 3802;

/** Prepared statements are kept to this number a connection; the one that was not used for longest goes first. */
const MAX_PREPARED = 300;

/** `pg`'s protocol layer, as far as packets use it. */
interface Connection {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string; types: number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly unknown[] }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: { portal: string; rows: number }): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
  on(event: 'parseComplete', listener: () => void): void;
  removeListener(event: 'parseComplete', listener: () => void): void;
}

interface PreparedStatements {
  /** The one that was not used for longest comes first. */
  readonly byText: Map<string, Prepared>;
  /** Names that the server may still keep, and nobody will ask for. */
  readonly spent: string[];
  /** Names are never used twice on a connection, so one that was lost cannot be mistaken for another. */
  count: number;
}

const preparedOf = new WeakMap<object, PreparedStatements>();

/**
 * Runs several statements as one network round trip and answers what the last of them say.
 *
 * The extended protocol takes any number of Bind and Execute pairs before one Sync, and everything up to that Sync is
 * one implicit transaction: settings made in front with `set_config(…, true)` hold for the statements behind them and
 * end with it, an error undoes all of it, and nothing is left on the connection.
 * @param answered how many statements, from the back, are answered; what those in front say is not even asked
 */
export function sendPacket(
  client: pg.ClientBase,
  statements: readonly Statement[],
  types: TypeParsers,
  answered = 1,
): Promise<PacketResult[]> {
  return new Promise((resolve, reject) => {
    // A value that cannot be sent must be found before the first byte is written.
    const sendable = statements.map(({ text, values }) => ({
      text,
      values: values.map((value) => prepareValue(value)),
    }));
    client.query(packet(sendable, types, answered, resolve, reject) as unknown as pg.Submittable);
  });
}

function packet(
  statements: readonly Statement[],
  types: TypeParsers,
  answered: number,
  resolve: (results: PacketResult[]) => void,
  reject: (error: unknown) => void,
): object {
  const silent = statements.length - answered;
  const sent: Prepared[] = [];
  const newlyPrepared: { readonly text: string; readonly prepared: Prepared }[] = [];
  const results: PacketResult[] = [];
  let rows: unknown[][] = [];
  let done = 0;
  let unreadable: { readonly error: unknown } | undefined;
  let parsed = 0;
  let known: PreparedStatements | undefined;
  let connection: Connection | undefined;

  const countParsed = (): void => {
    parsed += 1;
  };

  const send = (to: Connection): void => {
    connection = to;
    const statementsOf = preparedStatements(to);
    known = statementsOf;
    to.on('parseComplete', countParsed);
    makeRoom(to, statementsOf, statements);
    for (const [index, statement] of statements.entries()) {
      let prepared = statementsOf.byText.get(statement.text);
      if (!prepared) {
        prepared = prepare(to, statementsOf, statement.text);
        newlyPrepared.push({ text: statement.text, prepared });
      }
      sent.push(prepared);
      to.bind({ portal: '', statement: prepared.name, values: statement.values });
      if (index >= silent && !prepared.columns) to.describe({ type: 'P', name: '' });
      to.execute({ portal: '', rows: 0 });
    }
    to.sync();
  };

  const finish = (): void => connection?.removeListener('parseComplete', countParsed);

  const complete = (tag: string): void => {
    const prepared = sent[done];
    if (done >= silent && prepared) {
      prepared.columns ??= { fields: [], parsers: [] };
      results.push({ command: tag.split(' ')[0] ?? '', rowCount: countOf(tag), fields: prepared.columns.fields, rows });
      rows = [];
    }
    done += 1;
  };

  return {
    submit(to: Connection): Error | null {
      to.stream.cork();
      send(to);
      to.stream.uncork();
      return null;
    },
    handleRowDescription(message: { fields: readonly DescribedField[] }): void {
      const prepared = sent[done];
      if (prepared) prepared.columns = describe(message.fields, types);
    },
    handleDataRow(message: { fields: (string | null)[] }): void {
      if (done < silent || unreadable) return;
      try {
        rows.push(readRow(message.fields, sent[done]?.columns?.parsers ?? []));
      } catch (error) {
        // Thrown from here it would end the process; the connection has the rest of the answer to read first.
        unreadable = { error };
      }
    },
    handleCommandComplete: (message: { text: string }): void => complete(message.text),
    handleEmptyQuery: (): void => complete(''),
    handlePortalSuspended(): void {},
    handleCopyInResponse(): void {},
    handleCopyData(): void {},
    handleError(error: unknown): void {
      // A statement whose Parse was not acknowledged does not exist on the server.
      for (const { text } of newlyPrepared.slice(parsed)) known?.byText.delete(text);
      finish();
      reject(error);
    },
    handleReadyForQuery(): void {
      finish();
      if (unreadable) reject(unreadable.error);
      resolve(results);
    },
  };
}

/** Forgets what a connection has prepared, for when the server knows it no longer or knows it differently. */
export function forgetPrepared(client: pg.ClientBase): void {
  const known = preparedOf.get((client as unknown as { connection: object }).connection);
  if (!known) return;
  known.spent.push(...[...known.byText.values()].map(({ name }) => name));
  known.byText.clear();
}

function preparedStatements(connection: Connection): PreparedStatements {
  const existing = preparedOf.get(connection);
  if (existing) return existing;
  const fresh = { byText: new Map<string, Prepared>(), spent: [], count: 0 };
  preparedOf.set(connection, fresh);
  return fresh;
}

/**
 * Has the server drop what is not needed any more, so that it keeps no more than we know of. Told in front of everything
 * else, because after an error the server does not listen until the packet ends.
 */
function makeRoom(
  connection: Connection,
  { byText, spent }: PreparedStatements,
  statements: readonly Statement[],
): void {
  const texts = new Set(statements.map(({ text }) => text));
  let missing = 0;
  for (const text of texts) {
    const prepared = byText.get(text);
    if (prepared) {
      byText.delete(text);
      byText.set(text, prepared);
    } else {
      missing += 1;
    }
  }
  for (const [text, { name }] of byText) {
    if (byText.size + missing <= MAX_PREPARED) break;
    byText.delete(text);
    spent.push(name);
  }
  for (const name of spent.splice(0)) connection.close({ type: 'S', name });
}

function prepare(connection: Connection, known: PreparedStatements, text: string): Prepared {
  known.count += 1;
  const prepared: Prepared = { name: `tollhouse_${known.count}` };
  connection.parse({ name: prepared.name, text, types: [] });
  known.byText.set(text, prepared);
  return prepared;
}

function readRow(texts: readonly (string | null)[], parsers: readonly Parser[]): unknown[] {
  return texts.map((text, column) => {
    const parse = parsers[column];
    return text === null || !parse ? text : parse(text);
  });
}

function describe(fields: readonly DescribedField[], types: TypeParsers): Columns {
  return {
    fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
    parsers: fields.map(({ dataTypeID, tableID }) => {
      const parse = types.getTypeParser(dataTypeID, 'text');
      return dataTypeID === JSONB && tableID === 0 ? (text) => parse(keepExact(text)) : parse;
    }),
  };
}

function countOf(tag: string): number {
  return Number(/ (\d+)$/.exec(tag)?.[1] ?? 0);
}
