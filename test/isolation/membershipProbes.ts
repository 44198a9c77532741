import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** The texts that are about members, by where they go. */
export function membershipProbes({
  idPairs,
  askAsOther,
  admin,
  theirMembership,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  readonly admin: (text: string) => Promise<Record<string, unknown>[]>;
  /** The global id of a member of the other tenant's. */
  readonly theirMembership: () => string;
}): Readonly<Record<string, Probe | string>> {
  const usedKey = async (deed: string): Promise<Pair[]> => {
    const theirs = randomBytes(16).toString('hex');
    const { errors } = await askAsOther(`mutation ($key: String) { ${deed} }`, theirs);
    if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
    return [[theirs, randomBytes(16).toString('hex')]];
  };
  const nobody = encodeGlobalId('Membership', newId());
  const change = 'updateMembership(input: { id: "%", jobTitle: "x", idempotencyKey: $key }) { replayed }';
  const page = (argument: string): Probe => ({
    query: `query ($value: String) { organization { memberships(${argument}: $value) {
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } } }`,
    pairs: async () => {
      const rows = await admin('select id, created_at from memberships where organization_id = $1');
      return rows.map(({ id, created_at }): Pair => [cursorOf(created_at, id), cursorOf(created_at, newId())]);
    },
  });
  return {
    'Organization.memberships.after': page('after'),
    'Organization.memberships.before': page('before'),
    'Organization.memberships.filter.name': {
      query: `query ($value: String) { organization { memberships(filter: { name: $value }) {
        edges { node { id } } pageInfo { hasNextPage }
      } } }`,
      pairs: async () => {
        const rows = await admin(
          'select display_name from users u join memberships m on m.user_id = u.id where m.organization_id = $1',
        );
        return rows.map(({ display_name }): Pair => [String(display_name), `Nobody ${randomBytes(8).toString('hex')}`]);
      },
    },
    'Viewer.memberships.filter.text': {
      query: `query ($value: String) { viewer { memberships(filter: { text: $value }) { id organization { name } } } }`,
      pairs: async () => {
        const rows = await admin('select name from organizations where id = $1');
        return rows.map(({ name }): Pair => [String(name), `Nobody ${randomBytes(8).toString('hex')}`]);
      },
    },
    'Organization.memberships.filter.createdFrom': 'names nothing: a moment',
    'Organization.memberships.filter.createdBefore': 'names nothing: a moment',
    'Mutation.updateMembership.input.id': {
      query: 'mutation ($value: ID!) { updateMembership(input: { id: $value, jobTitle: "x" }) { replayed } }',
      pairs: idPairs,
    },
    'Mutation.updateMembership.input.idempotencyKey': {
      query: `mutation ($value: String) { ${change.replace('%', nobody).replace('$key', '$value')} }`,
      pairs: () => usedKey(change.replace('%', theirMembership())),
    },
    'Mutation.updateMembership.input.jobTitle': 'names nothing: a text for people',
    'Mutation.updateMembership.input.department': 'names nothing: a text for people',
    'Mutation.removeMember.input.id': {
      query: 'mutation ($value: ID!) { removeMember(input: { id: $value }) { replayed } }',
      pairs: idPairs,
    },
    'Mutation.removeMember.input.idempotencyKey': {
      query: `mutation ($value: String) {
        removeMember(input: { id: "${nobody}", idempotencyKey: $value }) { replayed }
      }`,
      pairs: () => usedKey(change.replace('%', theirMembership())),
    },
    'Mutation.createOrganization.input.name': 'names nothing: a text for people',
    'Mutation.createOrganization.input.slug':
      'that a slug is taken is what a unique name tells, and nothing else of whose',
    'Mutation.createOrganization.input.idempotencyKey': {
      query: `mutation ($value: String) {
        createOrganization(input: { name: "x", idempotencyKey: $value }) { replayed }
      }`,
      pairs: () => usedKey('createOrganization(input: { name: "x", idempotencyKey: $key }) { replayed }'),
    },
  };
}

function cursorOf(createdAt: unknown, id: unknown): string {
  const place = ['CREATED', 'DESC', (createdAt as Date).toISOString(), id];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}
