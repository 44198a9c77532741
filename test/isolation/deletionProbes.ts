import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** The texts by which organizations go and come back. */
export function deletionProbes({
  idPairs,
  namePairs,
  askAsOther,
  makeDeleted,
}: {
  readonly idPairs: () => Pair[];
  readonly namePairs: () => Pair[];
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  /** Makes a deleted organization that the other tenant's owner owned, of this id. */
  readonly makeDeleted: (id: string) => Promise<unknown>;
}): Readonly<Record<string, Probe>> {
  const deletedByThem = async (): Promise<string> => {
    const id = newId();
    await makeDeleted(id);
    return encodeGlobalId('Organization', id);
  };
  const keyed = (organizationId: string): string => `mutation ($key: String) {
    restoreDeletedOrganization(input: { organizationId: "${organizationId}", idempotencyKey: $key }) { replayed }
  }`;
  return {
    'Mutation.deleteOrganization.input.slug': {
      query: 'mutation ($value: String!) { deleteOrganization(input: { slug: $value }) { organizationId } }',
      pairs: namePairs,
    },
    'Mutation.restoreDeletedOrganization.input.organizationId': {
      query: 'mutation ($value: ID!) { restoreDeletedOrganization(input: { organizationId: $value }) { replayed } }',
      pairs: async () => [...idPairs(), [await deletedByThem(), encodeGlobalId('Organization', newId())]],
    },
    'Mutation.restoreDeletedOrganization.input.idempotencyKey': {
      query: keyed(encodeGlobalId('Organization', newId())),
      variables: (key) => ({ key }),
      pairs: async () => {
        const theirs = randomBytes(16).toString('hex');
        const { errors } = await askAsOther(keyed(await deletedByThem()), theirs);
        if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
        return [[theirs, randomBytes(16).toString('hex')]];
      },
    },
  };
}
