import { expect } from 'vitest';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { rowsOf } from '../tenancy/operatorHouse.ts';

/** A fact as the log has it, with what it came of. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly organization: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The facts that this finds, with what they came of, in the order of the log. */
export async function told(
  house: Pick<TestTollhouse, 'database'>,
  where: string,
  ...values: unknown[]
): Promise<Told[]> {
  const rows = await rowsOf(
    house,
    `select id, type, organization_id as organization, metadata from events where ${where} order by position`,
    values,
  );
  return rows as unknown as Told[];
}

/** What only the fact itself decides about, without its request. */
export const linksOf = ({ metadata }: Told): Readonly<Record<string, string | undefined>> => ({
  source: metadata.source,
  sessionId: metadata.sessionId,
  causationId: metadata.causationId,
  correlationId: metadata.correlationId,
});

/** Each follows from the one before, and all have in common that they began with the first one. */
export function expectChain(facts: readonly Told[]): void {
  const [first] = facts;
  expect(facts.map(({ metadata }) => metadata.causationId)).toEqual([
    undefined,
    ...facts.slice(0, -1).map(({ id }) => id),
  ]);
  expect(new Set(facts.map(({ metadata }) => metadata.correlationId))).toEqual(new Set([first?.id]));
}
