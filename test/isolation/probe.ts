/** A value of the other tenant's, beside one of the same shape that is nobody's. */
export type Pair = readonly [foreign: string, random: string];

/** How something is asked for by a text. */
export interface Probe {
  readonly query: string;
  /** How the text goes into the variables; as `value` unless said otherwise. */
  readonly variables?: (value: string) => object;
  readonly pairs: () => Pair[] | Promise<Pair[]>;
  /** What two answers may differ in besides: what is random in itself. */
  readonly blur?: RegExp;
}
