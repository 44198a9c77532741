import { randomBytes } from 'node:crypto';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** What the texts that name sessions and where they work are asked with. */
interface Asked {
  /** Cursors of the other tenant's rows, beside those of nobody. */
  readonly sessionCursors: () => Promise<Pair[]>;
  readonly identityCursors: () => Promise<Pair[]>;
  /** Ids and names of the other tenant's, beside nobody's. */
  readonly names: () => Pair[];
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
}

/** How sessions are asked for, ended and switched by a text. */
export function sessionProbes({
  sessionCursors,
  identityCursors,
  names,
  askAsOther,
}: Asked): Readonly<Record<string, Probe>> {
  const page = (field: string, argument: string, pairs: () => Promise<Pair[]>): Probe => ({
    query: `query ($value: String) { viewer { ${field}(${argument}: $value) {
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } } }`,
    pairs,
  });
  const keyed = (query: string): Probe => ({
    query,
    pairs: async () => {
      const theirs = randomBytes(16).toString('hex');
      const { errors } = await askAsOther(
        `mutation ($key: String!) {
          endSession(input: { id: "x", idempotencyKey: $key }) { replayed }
          endOtherSessions(input: { idempotencyKey: $key }) { replayed }
        }`,
        theirs,
      );
      if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
      return [[theirs, randomBytes(16).toString('hex')]];
    },
  });
  return {
    'Viewer.sessions.after': page('sessions', 'after', sessionCursors),
    'Viewer.sessions.before': page('sessions', 'before', sessionCursors),
    'Viewer.identities.after': page('identities', 'after', identityCursors),
    'Viewer.identities.before': page('identities', 'before', identityCursors),
    'Mutation.endSession.input.id': {
      query: 'mutation ($value: ID!) { endSession(input: { id: $value }) { ended replayed } }',
      pairs: names,
    },
    'Mutation.endSession.input.idempotencyKey': keyed(
      'mutation ($value: String) { endSession(input: { id: "x", idempotencyKey: $value }) { ended replayed } }',
    ),
    'Mutation.endOtherSessions.input.idempotencyKey': keyed(
      `mutation ($value: String) {
        endOtherSessions(input: { idempotencyKey: $value }) { session { isCurrent } replayed }
      }`,
    ),
    'Mutation.switchOrganization.input.organizationId': {
      query: `mutation ($value: ID!) {
        switchOrganization(input: { organizationId: $value }) { viewer { organization { id } } }
      }`,
      pairs: names,
    },
  };
}
