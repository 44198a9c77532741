import { randomBytes } from 'node:crypto';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

/** An invitation of each organization, with its admin's id for its own, so that it can be named. */
export const INVITATIONS = `
  insert into invitations (organization_id, id, role, address, invited_by_id, expires_at, created_at)
  select
    organization_id, user_id, 'MEMBER', '0x' || encode(substring(uuid_send(user_id) || uuid_send(id), 1, 20), 'hex'),
    user_id, now() + interval '1 day', created_at
  from memberships
  where role = 'ADMIN' and $1::uuid is not null`;

/** The texts that are about invitations, by where they go. */
export function invitationProbes({
  idPairs,
  addressPairs,
  connection,
  askAsOther,
  admin,
  theirOrganization,
  theirInvitation,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  readonly addressPairs: () => Pair[];
  /** The probes of the cursors. */
  readonly connection: Readonly<Record<string, Probe>>;
  readonly askAsOther: (query: string, key: string) => Promise<Answer<unknown>>;
  /** Runs a statement as a superuser. */
  readonly admin: (text: string, values: unknown[]) => Promise<unknown>;
  /** The other tenant, and its owner. */
  readonly theirOrganization: () => { readonly organizationId: string; readonly ownerId: string };
  /** The global id of an invitation of theirs. */
  readonly theirInvitation: () => string;
}): Readonly<Record<string, Probe | string>> {
  const usedKey = async (deed: string): Promise<Pair[]> => {
    const theirs = randomBytes(16).toString('hex');
    const { errors } = await askAsOther(`mutation ($key: String) { ${deed} }`, theirs);
    if (errors.length > 0) throw new Error(`The other tenant could not use its key: ${JSON.stringify(errors)}`);
    return [[theirs, randomBytes(16).toString('hex')]];
  };
  const emails = async (): Promise<Pair[]> => {
    const [theirs, nobodys] = [0, 1].map(() => `${randomBytes(8).toString('hex')}@example.org`) as [string, string];
    const { organizationId, ownerId } = theirOrganization();
    await admin(
      `insert into invitations (organization_id, role, email, token_hash, invited_by_id, expires_at)
       values ($1, 'MEMBER', $2, sha256(convert_to($2, 'UTF8')), $3, now() + interval '1 day')`,
      [organizationId, theirs, ownerId],
    );
    return [[theirs, nobodys]];
  };
  const invite = `inviteMember(input: {
    address: "0x${'5'.repeat(40)}", role: MEMBER, idempotencyKey: $key
  }) { replayed }`;
  const revoke = 'revokeInvitation(input: { id: "%", idempotencyKey: $key }) { replayed }';
  return {
    ...connection,
    'Organization.invitations.filter.text': {
      query: `query ($value: String) { organization { invitations(filter: { text: $value }) {
        edges { node { id } } pageInfo { hasNextPage }
      } } }`,
      pairs: emails,
    },
    'Organization.invitations.filter.roleId': {
      query: `query ($value: ID) { organization { invitations(filter: { roleId: $value }) {
        edges { node { id } } pageInfo { hasNextPage }
      } } }`,
      pairs: idPairs,
    },
    'Organization.invitations.filter.createdFrom': 'names nothing: a moment',
    'Organization.invitations.filter.createdBefore': 'names nothing: a moment',
    'Mutation.inviteMember.input.email': {
      query:
        'mutation ($value: String!) { inviteMember(input: { email: $value, role: MEMBER }) { invitation { status } } }',
      pairs: emails,
    },
    'Mutation.inviteMember.input.address': {
      query:
        'mutation ($value: Address!) { inviteMember(input: { address: $value, role: MEMBER }) { invitation { status } } }',
      pairs: addressPairs,
    },
    'Mutation.inviteMember.input.idempotencyKey': {
      query: `mutation ($value: String) { ${invite.replace('$key', '$value')} }`,
      pairs: () => usedKey(invite),
    },
    'Mutation.revokeInvitation.input.id': {
      query: 'mutation ($value: ID!) { revokeInvitation(input: { id: $value }) { replayed } }',
      pairs: idPairs,
    },
    'Mutation.revokeInvitation.input.idempotencyKey': {
      query: `mutation ($value: String) {
        ${revoke.replace('%', encodeGlobalId('Invitation', newId())).replace('$key', '$value')}
      }`,
      pairs: () => usedKey(revoke.replace('%', theirInvitation())),
    },
    'Mutation.acceptInvitation.input.id': {
      query: 'mutation ($value: ID!) { acceptInvitation(input: { id: $value }) { membership { role } } }',
      pairs: idPairs,
    },
    'Mutation.acceptInvitation.input.token': {
      query: 'mutation ($value: String!) { acceptInvitation(input: { token: $value }) { membership { role } } }',
      // a token that is good is meant to be answered to whoever has it; an id, or an e-mail address, is none
      pairs: idPairs,
    },
    'Mutation.signInWithEthereum.input.invitationToken': 'names nothing without its message and signature',
    'Mutation.signInWithThirdweb.input.invitationToken': 'names nothing without what is signed in with',
  };
}
