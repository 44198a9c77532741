import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** A key of each organization, which has its admin's id; those of the other one are ten minutes younger. */
export const API_KEYS = `
  insert into api_keys (
    organization_id, id, kind, name, prefix, secret_hash, scopes, created_by_id, responsible_id, created_at
  )
  select organization_id, user_id, 'SERVICE', 'key of ' || o.slug, substr(md5(user_id::text), 1, 16),
    sha256(uuid_send(user_id)), '{payments:read}', user_id, user_id,
    now() + case when o.id = $1 then interval '10 min' else interval '0' end
  from memberships m join organizations o on o.id = m.organization_id
  where m.role = 'ADMIN'`;

/** The texts that are about API keys, by where they go. */
export function apiKeyProbes({
  idPairs,
  theirs,
  askAsOther,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  /** The global id of an API key of the other tenant's, and that one's slug, which is in the key's name. */
  readonly theirs: () => { readonly id: string; readonly slug: string };
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
}): Readonly<Record<string, Probe | string>> {
  const usedKey = async (deed: string): Promise<Pair[]> => {
    const used = randomBytes(16).toString('hex');
    const { errors } = await askAsOther(`mutation ($key: String) { ${deed} }`, used);
    if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
    return [[used, randomBytes(16).toString('hex')]];
  };
  const nobody = encodeGlobalId('ApiKey', newId());
  const create = 'createApiKey(input: { kind: SERVICE, name: "x", scopes: ["payments:read"], idempotencyKey: $key })';
  const change = (field: string, id: string, words = ''): string =>
    `${field}(input: { id: "${id}"${words}, idempotencyKey: $key }) { replayed }`;
  const named = Object.entries({ updateApiKey: ', name: "x"', confirmApiKey: '', revokeApiKey: '' }).flatMap(
    ([field, words]): [string, Probe][] => [
      [
        `Mutation.${field}.input.id`,
        { query: `mutation ($value: ID!) { ${field}(input: { id: $value${words} }) { replayed } }`, pairs: idPairs },
      ],
      [
        `Mutation.${field}.input.idempotencyKey`,
        {
          query: `mutation ($value: String) { ${change(field, nobody, words).replace('$key', '$value')} }`,
          pairs: () => usedKey(change('updateApiKey', theirs().id, ', name: "x"')),
        },
      ],
    ],
  );
  const words = (field: string): [string, string][] => [
    [`Mutation.${field}.input.name`, 'names nothing: a text for people'],
    [`Mutation.${field}.input.description`, 'names nothing: a text for people'],
    [`Mutation.${field}.input.expiresAt`, 'names nothing: a moment'],
    [`Mutation.${field}.input.allowedAddresses`, 'names nothing of ours: networks that are compared with a client’s'],
    [`Mutation.${field}.input.allowedOrigins`, 'names nothing of ours: origins that are compared with a client’s'],
  ];
  return {
    ...Object.fromEntries([...named, ...words('createApiKey'), ...words('updateApiKey')]),
    'Organization.apiKeys.filter.createdFrom': 'names nothing: a moment',
    'Organization.apiKeys.filter.createdBefore': 'names nothing: a moment',
    'Organization.apiKeys.filter.text': {
      query: `query ($value: String) { organization { apiKeys(filter: { text: $value }) {
        edges { node { id } } pageInfo { hasNextPage }
      } } }`,
      pairs: () => [[`key of ${theirs().slug}`, `key of ${randomBytes(8).toString('hex')}`]],
    },
    'Mutation.createApiKey.input.scopes': 'names nothing: permissions, of a list that everybody may read',
    'Mutation.createApiKey.input.idempotencyKey': {
      query: `mutation ($value: String) { ${create.replace('$key', '$value')} { replayed } }`,
      pairs: () => usedKey(`${create} { replayed }`),
    },
  };
}
