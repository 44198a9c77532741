import { CHAIN } from './chain.ts';
import { IDENTITY } from './identity.ts';
import { type Law, readLaw } from './law.ts';
import { PAYMENTS } from './payments.ts';
import { RECORDS } from './records.ts';
import { REFUNDS } from './refunds.ts';
import { TENANCY } from './tenancy.ts';

/**
 * What every table is declared to let through; a table that is not here turns the matrix red. Who the actors are stands
 * in actors.ts, how far each reach goes in scopes.ts, and how a line is read in law.ts.
 */
export const LAWS: ReadonlyMap<string, Law> = new Map(
  Object.entries({ ...IDENTITY, ...TENANCY, ...CHAIN, ...PAYMENTS, ...REFUNDS, ...RECORDS }).map(
    ([table, declaration]) => [table, readLaw(table, declaration)],
  ),
);
