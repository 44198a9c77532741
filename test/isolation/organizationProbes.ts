import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

const TEXT = 'names nothing: a text for people';
const KEPT = 'names nothing: what front ends keep';

/** Each deed that takes a key, with something to do. */
const KEYED = {
  updateOrganization: 'description: "x"',
  updateOrganizationSettings: 'requireStepUp: false',
  updateStoreConfiguration: 'theme: { colour: "red" }',
};

/** The texts that change an organization, by where they go. */
export function organizationProbes({
  idPairs,
  askAsOther,
  theirDomain,
  ownHost,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  /** A verified domain of the other tenant’s. */
  readonly theirDomain: () => string;
  readonly ownHost: () => string;
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
}): Readonly<Record<string, Probe | string>> {
  /** A key that the other tenant has used for this deed of its own, beside one that nobody has. */
  const usedKey = async (deed: (key: string) => string): Promise<Pair[]> => {
    const theirs = randomBytes(16).toString('hex');
    const { errors } = await askAsOther(deed('$key'), theirs);
    if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
    return [[theirs, randomBytes(16).toString('hex')]];
  };
  const mutation = (field: string, change: string): string =>
    `mutation ($value: String) { ${field}(input: { ${change}, idempotencyKey: $value }) { replayed } }`;
  const keyed = Object.entries(KEYED).map(([field, change]): [string, Probe] => [
    `Mutation.${field}.input.idempotencyKey`,
    {
      query: mutation(field, change),
      pairs: () => usedKey((key) => mutation(field, change).replaceAll('$value', key)),
    },
  ]);
  const named = (['setPrimaryDomain', 'removeDomain'] as const).flatMap((field): [string, Probe][] => [
    [
      `Mutation.${field}.input.id`,
      { query: `mutation ($value: ID!) { ${field}(input: { id: $value }) { replayed } }`, pairs: idPairs },
    ],
    [
      `Mutation.${field}.input.idempotencyKey`,
      {
        query: `mutation ($value: String) {
          ${field}(input: { id: "${encodeGlobalId('Domain', newId())}", idempotencyKey: $value }) { replayed }
        }`,
        pairs: () =>
          usedKey(
            (key) => `mutation (${key}: String) {
          setPrimaryDomain(input: { id: "${theirDomain()}", idempotencyKey: ${key} }) { replayed }
        }`,
          ),
      },
    ],
  ]);
  return {
    ...Object.fromEntries([...keyed, ...named]),
    'Mutation.addDomain.input.idempotencyKey': {
      // one that is there: who tries for the second time is told so by the database, once the key was looked for
      query: `mutation ($value: String, $host: String!) {
        addDomain(input: { host: $host, kind: CUSTOM, idempotencyKey: $value }) { replayed }
      }`,
      variables: (value) => ({ value, host: ownHost() }),
      pairs: () =>
        usedKey(
          (key) => `mutation (${key}: String) {
            addDomain(input: { host: "${newId()}.com", kind: CUSTOM, idempotencyKey: ${key} }) { replayed }
          }`,
        ),
    },
    'Mutation.addDomain.input.host': 'any number may say that a host is theirs, see test/tenancy/domains.test.ts',
    'Mutation.verifyDomain.input.id': {
      query: 'mutation ($value: ID!) { verifyDomain(input: { id: $value }) { domain { host } } }',
      pairs: idPairs,
    },
    'Mutation.updateOrganization.input.address': TEXT,
    'Mutation.updateOrganization.input.contactEmail': 'names nothing: an address that nobody is found by',
    'Mutation.updateOrganization.input.description': TEXT,
    'Mutation.updateOrganization.input.metadata': KEPT,
    'Mutation.updateOrganization.input.name': TEXT,
    'Mutation.updateOrganization.input.slug':
      'that a slug is taken is what a unique name tells, and nothing else of whose',
    'Mutation.updateStoreConfiguration.input.config': KEPT,
    'Mutation.updateStoreConfiguration.input.features': KEPT,
    'Mutation.updateStoreConfiguration.input.layout': KEPT,
    'Mutation.updateStoreConfiguration.input.theme': KEPT,
  };
}
