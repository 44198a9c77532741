import type { Pair, Probe } from './probe.ts';

const EVERYWHERE = 'names nothing of anybody else’s: for operators, who see all organizations';
const TEXT = 'names nothing: a text for people';

/** A record of each tenant’s; the other one’s is the older. */
const RECORDS = `
  insert into operator_actions (
    organization_id, deed, user_id, user_name, session_id, reason, request_id, created_at
  )
  select
    id, 'SUSPEND', uuid_v7(), 'Operator', uuid_v7(), name, 'probe',
    now() - case when id = $1 then interval '1 hour' else interval '0' end
  from organizations`;

/** The texts of what operators do, asked by somebody who is none. */
export function operatorProbes({
  idPairs,
  cursorPairs,
  admin,
}: {
  readonly idPairs: () => Pair[];
  /** Cursors of the other tenant’s records. */
  readonly cursorPairs: () => Promise<Pair[]>;
  /** Runs past the law, with the other tenant’s id. */
  readonly admin: (text: string) => Promise<unknown>;
}): Readonly<Record<string, Probe | string>> {
  const page = (argument: string): Probe => ({
    query: `query ($value: String) { organization { operatorActions(${argument}: $value) {
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } } }`,
    pairs: async () => {
      await admin(RECORDS);
      return cursorPairs();
    },
  });
  const deed = (field: string, selection: string): Readonly<Record<string, Probe | string>> => ({
    [`Mutation.${field}.input.organizationId`]: {
      query: `mutation ($value: ID!) { ${field}(input: { organizationId: $value, reason: "x" }) { ${selection} } }`,
      pairs: idPairs,
    },
    [`Mutation.${field}.input.reason`]: TEXT,
  });
  return {
    ...deed('suspendOrganization', 'changed'),
    ...deed('restoreOrganization', 'changed'),
    ...deed('impersonate', 'expiresAt'),
    ...deed('setSubscription', 'changed'),
    'Mutation.setSubscription.input.tier': 'names nothing of anybody’s: how a subscription is called',
    'Mutation.setSubscription.input.expiresAt': 'names nothing: a time',
    'Organization.operatorActions.after': page('after'),
    'Organization.operatorActions.before': page('before'),
    'Operator.actions.after': EVERYWHERE,
    'Operator.actions.before': EVERYWHERE,
    'Operator.organization.id': {
      query: 'query ($value: ID!) { operator { organization(id: $value) { name } } }',
      pairs: idPairs,
    },
    'Operator.organizations.after': EVERYWHERE,
    'Operator.organizations.before': EVERYWHERE,
    'Operator.organizations.filter.createdBefore': 'names nothing: a time',
    'Operator.organizations.filter.createdFrom': 'names nothing: a time',
    'Operator.organizations.filter.text': EVERYWHERE,
    'Operator.organizations.filter.tier': EVERYWHERE,
  };
}
