import { writeEventCursor } from '../../src/events/model.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Pair, Probe } from './probe.ts';

const SHOWN = `edges { cursor node { id type tags } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

/**
 * How the log is read by a text.
 * @param admin asks the database about the other tenant as nobody else may
 */
export function eventProbes(
  admin: (text: string) => Promise<Record<string, unknown>[]>,
): Readonly<Record<string, Probe | string>> {
  return {
    'Organization.events.after': {
      query: `query ($value: String) { organization { events(after: $value) { ${SHOWN} } } }`,
      pairs: async () => {
        const rows = await admin(
          'select epoch, transaction_id::text as xid, position::text from events where organization_id = $1',
        );
        return rows.map(({ epoch, xid, position }): Pair => {
          const place = { epoch: Number(epoch), transactionId: BigInt(String(xid)) };
          const told = BigInt(String(position));
          return [writeEventCursor({ ...place, position: told }), writeEventCursor({ ...place, position: told + 1n })];
        });
      },
    },
    'Organization.events.tags': {
      query: `query ($value: [String!]) { organization { events(tags: $value) { ${SHOWN} } } }`,
      variables: (value) => ({ value: [value] }),
      pairs: async () => {
        const rows = await admin('select distinct unnest(tags) as tag from events where organization_id = $1');
        return rows.map(({ tag }): Pair => [String(tag), `${String(tag).split(':', 1)}:${newId()}`]);
      },
    },
    'Organization.events.types': 'names what may happen to anybody',
    'Organization.events.before': 'is refused, whatever it says',
  };
}
