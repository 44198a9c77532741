/** A column as Prisma names it: its name in the table, and Prisma's name of its type. */
export interface Column {
  readonly column: string;
  readonly type: string;
  readonly list?: true;
}

/** What a model points at: its columns here equal the other's there. */
export interface Relation {
  readonly model: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Whether there may be many. */
  readonly list?: true;
}

/** What a model stands for in the database. */
export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, Column>>;
  readonly relations: Readonly<Record<string, Relation>>;
  /** Its unique keys, by the name that Prisma gives each in `findUnique`. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}
