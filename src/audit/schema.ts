import type { Context } from '../context.ts';
import { builder } from '../graphql/builder.ts';
import { pageBounds, pageOf } from '../graphql/connection.ts';
import { UserRef } from '../identity/schema/viewer.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { decodeGlobalId, encodeGlobalId, isUuid } from '../kernel/ids.ts';
import { OrganizationRef } from '../tenancy/schema/organizations.ts';
import { type AuditEntry, type AuditSeal, listEntries } from './commands/listEntries.ts';
import { verifyAudit } from './commands/verifyAudit.ts';
import type { Verification } from './commands/verifyChain.ts';
import { FAULTS, type Fault } from './model.ts';

const AuditVerb = builder.enumType('AuditVerb', {
  description: 'What was done to a row.',
  values: {
    INSERT: { description: 'It was made.' },
    UPDATE: { description: 'It was changed.' },
    DELETE: { description: 'It was deleted.' },
  } as const,
});

const Seal = builder.objectRef<AuditSeal>('AuditSeal').implement({
  description: 'An entry’s place in its organization’s chain of hashes.',
  fields: (t) => ({
    position: t.expose('position', { type: 'BigInt', description: 'Its place in the chain; the first is 1.' }),
    hash: t.field({
      type: 'Hex',
      description: 'SHA-256 of the hash before it and the entry’s text, see docs/domains/audit.md.',
      resolve: ({ hash }) => `0x${hash}`,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was sealed.' }),
  }),
});

const BOTH_SIDES = 'by its column names; numbers of more than fifteen digits are texts. Secrets are left out.';

const Entry = builder.node(builder.objectRef<AuditEntry>('AuditEntry'), {
  description: 'Who changed which row of the organization; written by the database, in the change’s own transaction.',
  id: { resolve: ({ id }) => id },
  loadOne: (id: string, context: Context) => findEntry(context, id),
  fields: (t) => ({
    table: t.exposeString('tableName', { description: 'The table of the database that the row is in.' }),
    rowId: t.exposeString('rowId', { description: 'The row’s UUID.' }),
    verb: t.expose('verb', { type: AuditVerb, description: 'What was done to it.' }),
    before: t.expose('before', {
      type: 'JsonObject',
      nullable: true,
      description: `The row before, ${BOTH_SIDES} Null for a new row.`,
    }),
    after: t.expose('after', {
      type: 'JsonObject',
      nullable: true,
      description: `The row afterwards, ${BOTH_SIDES} Null for a deleted row.`,
    }),
    role: t.exposeString('role', {
      description: 'The database role that did it, such as `tollhouse_member`; `none` for an administrator’s hand.',
    }),
    user: t.field({
      type: UserRef,
      nullable: true,
      description:
        'Who did it, or has become who did; null for payers and background work, and for users who are gone.',
      resolve: ({ user }) => user as never,
    }),
    userId: t.id({
      nullable: true,
      description: 'The global id of who did it, as it was then, whether or not there still is such a user.',
      resolve: ({ userId }) => userId && encodeGlobalId('User', userId),
    }),
    sessionId: t.id({
      nullable: true,
      description: 'The global id of the session that it was done in.',
      resolve: ({ sessionId }) => sessionId && encodeGlobalId('Session', sessionId),
    }),
    apiKeyId: t.id({
      nullable: true,
      description: 'The global id of the API key that did it; null when it was none.',
      resolve: ({ keyId }) => keyId && encodeGlobalId('ApiKey', keyId),
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The request that it was done in, as the log and the errors of answers name it.',
    }),
    seal: t.expose('seal', { type: Seal, nullable: true, description: 'Null for some seconds, until it is sealed.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was done.' }),
  }),
});

const EntryConnection = builder.connectionObject(
  { type: Entry, name: 'AuditEntryConnection', description: 'A page of audit entries.' },
  { name: 'AuditEntryEdge', description: 'One audit entry of a page.' },
);

async function findEntry(context: Context, id: string): Promise<AuditEntry | null> {
  const bounds = { after: null, before: null, oldestFirst: false, take: 1 };
  // whatever the reason that there is none: a node that cannot be seen is null, and no error
  const found = await listEntries(context, { bounds, filter: { id }, silent: true });
  return found[0] ?? null;
}

const AuditFilter = builder.inputType('AuditFilter', {
  description: 'Which entries are wanted: those that all of it is true of.',
  fields: (t) => ({
    table: t.string({ description: 'Of this table of the database, such as `payment_links`.' }),
    row: t.id({ description: 'Of this row: its global id or its UUID.' }),
    verb: t.field({ type: AuditVerb, description: 'Of what was done.' }),
    actor: t.id({ description: 'Done by this user.' }),
    apiKey: t.id({ description: 'Done by this API key: its global id or its UUID.' }),
    requestId: t.string({ description: 'Done in this request.' }),
    from: t.field({ type: 'DateTime', description: 'Not before this moment.' }),
    to: t.field({ type: 'DateTime', description: 'Before this moment.' }),
  }),
});

function rowNamed(field: string, given: string | null | undefined): string | undefined {
  if (given == null) return undefined;
  const id = decodeGlobalId(given)?.id ?? given;
  if (!isUuid(id)) throw kernelErrors.BAD_USER_INPUT({ field, expected: 'a global id or a UUID' });
  return id;
}

/** A text that could be the name of one; anything else is told apart from a name that nothing has. */
function nameOf(field: string, given: string | null | undefined): string | undefined {
  if (given == null) return undefined;
  if (!/^[\w.-]{1,100}$/.test(given))
    throw kernelErrors.BAD_USER_INPUT({ field, expected: 'letters, digits, . _ and -' });
  return given;
}

const FaultKind = builder.enumType('AuditFaultKind', {
  description: 'What is wrong with a chain of hashes.',
  values: Object.fromEntries(Object.entries(FAULTS).map(([kind, description]) => [kind, { description }])) as Record<
    keyof typeof FAULTS,
    { description: string }
  >,
});

const FaultRef = builder.objectRef<Fault>('AuditFault').implement({
  description: 'The first thing that is wrong with a chain.',
  fields: (t) => ({
    kind: t.expose('kind', { type: FaultKind, description: 'What is wrong.' }),
    position: t.expose('position', { type: 'BigInt', description: 'Where in the chain.' }),
    entryId: t.id({
      nullable: true,
      description: 'The global id of the entry that it is about; null when nothing is left to tell which.',
      resolve: ({ entryId }) => entryId && encodeGlobalId('AuditEntry', entryId),
    }),
  }),
});

const VerificationRef = builder.objectRef<Verification>('AuditVerification').implement({
  description: 'What came of recomputing a part of the chain of hashes.',
  fields: (t) => ({
    checked: t.exposeInt('checked', { description: 'How many entries were found sound.' }),
    position: t.field({
      type: 'BigInt',
      description: 'Up to where the chain is sound; 0 for an empty one. With `hash` it is where to go on.',
      resolve: ({ end }) => end.position,
    }),
    hash: t.field({
      type: 'Hex',
      description: 'The hash at that position, worth keeping elsewhere.',
      resolve: ({ end }) => `0x${end.hash}`,
    }),
    complete: t.exposeBoolean('complete', { description: 'Whether that is the end of the chain, and all is sound.' }),
    unsealed: t.exposeInt('waiting', {
      nullable: true,
      description: 'How many entries are not sealed yet, 1,000 at most; null where the chain goes on.',
    }),
    fault: t.expose('fault', { type: FaultRef, nullable: true, description: 'The first thing that is wrong.' }),
  }),
});

const ChainPlace = builder.inputType('AuditChainPlace', {
  description: 'A place in the chain, as a verification gave it out.',
  fields: (t) => ({
    position: t.field({ type: 'BigInt', required: true, description: 'The position.' }),
    hash: t.field({ type: 'Hex', required: true, description: 'Its hash.' }),
  }),
});

builder.prismaObjectFields(OrganizationRef, (t) => ({
  auditEntries: t.connection(
    {
      type: Entry,
      description: 'Who changed which row, the newest first. Needs the permission `audit:read`.',
      args: { filter: t.arg({ type: AuditFilter, description: 'Which entries; all when absent.' }) },
      resolve: async ({ id }, { filter, ...page }, context) => {
        const bounds = pageBounds(page);
        const { row, actor, apiKey, table, requestId, ...rest } = filter ?? {};
        const wanted = {
          ...rest,
          table: nameOf('table', table),
          requestId: nameOf('requestId', requestId),
          rowId: rowNamed('row', row),
          userId: rowNamed('actor', actor),
          keyId: rowNamed('apiKey', apiKey),
        };
        // of an organization that the session does not work in, nothing is seen
        const own = id === context.viewer?.organizationId;
        return pageOf(own ? await listEntries(context, { bounds, filter: wanted }) : [], page) as never;
      },
    },
    EntryConnection,
  ),
  auditVerification: t.field({
    type: VerificationRef,
    nullable: true,
    description:
      'Recomputes a part of the chain of hashes that the entries are sealed into; once in a request. Null for an ' +
      'organization that the session does not work in. Needs the permission `audit:read`.',
    args: {
      from: t.arg({
        type: ChainPlace,
        description:
          'Where to go on, or what was kept of the chain: it must still be there. From the first when absent.',
      }),
      first: t.arg.int({ defaultValue: 500, description: 'How many entries at most: 1 to 1,000.' }),
    },
    resolve: ({ id }, { from, first }, context) =>
      id === context.viewer?.organizationId
        ? verifyAudit(context, {
            from: from ? { position: from.position, hash: from.hash.slice(2).toLowerCase() } : undefined,
            first: first ?? 500,
          })
        : null,
  }),
}));
