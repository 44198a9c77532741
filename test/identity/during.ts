import type { Client } from 'pg';
import { withSession } from '../../src/database/session.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { sql } from './visitor.ts';

type House = Pick<TestTollhouse, 'database'>;

/** Resolves when somebody waits for a lock in this database. */
async function someoneWaits(house: House): Promise<void> {
  for (let waiting = 0; waiting === 0; ) {
    const rows = await sql(
      house,
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    waiting = rows.length;
  }
}

/**
 * Does the one in a transaction, starts the other, does the last thing in that transaction when the other waits, and
 * commits; answers what became of the other.
 */
export async function during<Result>(
  house: House,
  first: (client: Client) => Promise<unknown>,
  then: () => Promise<Result>,
  last: (client: Client) => Promise<unknown> = () => Promise.resolve(),
): Promise<Result> {
  return withSession(house.database.adminUrl, async (client) => {
    await client.query('begin');
    await first(client);
    const late = then();
    // a failure is looked at once the other is done
    late.catch(() => undefined);
    await Promise.race([someoneWaits(house), late.catch(() => undefined)]);
    await last(client);
    await client.query('commit');
    return late;
  });
}
