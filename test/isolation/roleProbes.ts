import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** A custom role of each organization, with its admin's id for its own, so that it can be named. */
export const ROLES = `
  insert into roles (organization_id, id, name, permissions, created_at)
  select organization_id, user_id, 'Cashier', '{payments:read}', created_at
  from memberships
  where role = 'ADMIN' and $1::uuid is not null`;

/** The texts that are about custom roles, by where they go. */
export function roleProbes({
  idPairs,
  connection,
  askAsOther,
  ourMembership,
  theirRole,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  /** The probes of the cursors. */
  readonly connection: Readonly<Record<string, Probe>>;
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  /** The global id of a member of whoever asks. */
  readonly ourMembership: () => string;
  /** The global id of a role of the other tenant's. */
  readonly theirRole: () => string;
}): Readonly<Record<string, Probe | string>> {
  const usedKey = async (deed: string): Promise<Pair[]> => {
    const theirs = randomBytes(16).toString('hex');
    const { errors } = await askAsOther(`mutation ($key: String) { ${deed} }`, theirs);
    if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
    return [[theirs, randomBytes(16).toString('hex')]];
  };
  const create = (name: string): string =>
    `createRole(input: { name: "${name}", permissions: ["payments:read"], idempotencyKey: $key }) { replayed }`;
  const update = (id: string): string => `updateRole(input: { id: "${id}", description: "x", idempotencyKey: $key }) {
    replayed
  }`;
  const remove = (id: string): string => `deleteRole(input: { id: "${id}", idempotencyKey: $key }) { replayed }`;
  const nobody = encodeGlobalId('Role', newId());
  const keyed = (deed: string, theirs: () => string): Probe => ({
    query: `mutation ($value: String) { ${deed.replace('$key', '$value')} }`,
    pairs: () => usedKey(theirs()),
  });
  const named: Probe = {
    query: `mutation ($value: String!) { createRole(input: { name: $value, permissions: ["payments:read"] }) {
      role { permissions }
    } }`,
    pairs: async () => {
      const [theirs, nobodys] = [randomBytes(6).toString('hex'), randomBytes(6).toString('hex')];
      await askAsOther(`mutation ($key: String) { ${create(theirs)} }`, randomBytes(16).toString('hex'));
      return [[theirs, nobodys]];
    },
  };
  return {
    ...connection,
    'Organization.memberships.filter.roleId': {
      query: `query ($value: ID) { organization { memberships(filter: { roleId: $value }) { edges { node { id } } } } }`,
      pairs: idPairs,
    },
    'Mutation.updateMembership.input.roleId': {
      query: 'mutation ($id: ID!, $value: ID) { updateMembership(input: { id: $id, roleId: $value }) { replayed } }',
      variables: (value) => ({ id: ourMembership(), value }),
      pairs: idPairs,
    },
    'Mutation.inviteMember.input.roleId': {
      query: `mutation ($value: ID) {
        inviteMember(input: { address: "0x${'6'.repeat(40)}", roleId: $value }) { replayed }
      }`,
      pairs: idPairs,
    },
    // a name of one tenant's is free in all others
    'Mutation.createRole.input.name': named,
    'Mutation.createRole.input.description': 'names nothing: a text for people',
    'Mutation.createRole.input.permissions': 'names nothing of a tenant: a word of the one table of permissions',
    // a name that is taken, so that asking twice is asking alike
    'Mutation.createRole.input.idempotencyKey': keyed(create('Cashier'), () => create('Keyed')),
    'Mutation.updateRole.input.id': {
      query: 'mutation ($value: ID!) { updateRole(input: { id: $value, description: "x" }) { replayed } }',
      pairs: idPairs,
    },
    'Mutation.updateRole.input.name': 'as that of `createRole`, which asks the same index',
    'Mutation.updateRole.input.description': 'names nothing: a text for people',
    'Mutation.updateRole.input.permissions': 'names nothing of a tenant: a word of the one table of permissions',
    'Mutation.updateRole.input.idempotencyKey': keyed(update(nobody), () => update(theirRole())),
    'Mutation.deleteRole.input.id': {
      query: 'mutation ($value: ID!) { deleteRole(input: { id: $value }) { replayed } }',
      pairs: idPairs,
    },
    'Mutation.deleteRole.input.idempotencyKey': keyed(remove(nobody), () => update(theirRole())),
  };
}
