import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId, newId } from '../../kernel/ids.ts';
import { endOtherSessions } from '../commands/endOtherSessions.ts';
import { endSession } from '../commands/endSession.ts';
import { ViewerRef } from './viewer.ts';
import { WalletRef } from './wallets.ts';

/** A signed-in state, as its own user sees it. Tenancy adds the organization. */
export const SessionRef = builder.prismaNode('Session', {
  nullable: true,
  description: 'A signed-in state: one browser or device of the user, in one organization.',
  select: { id: true },
  id: { resolve: ({ id }) => id },
  findUnique: (id) => ({ id }),
  fields: (t) => ({
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it ends, however often it is refreshed.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was ended before that; null while it was not.',
    }),
    lastRefreshedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its refresh token was exchanged last; null while it never was.',
      select: { rotations: true },
      resolve: ({ rotations }) => rotations[0] ?? null,
    }),
    clientAddress: t.exposeString('clientAddress', {
      nullable: true,
      description: 'The network address that it was begun from.',
    }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'What the browser or program that began it said of itself.',
    }),
    wallet: t.relation('identity', {
      type: WalletRef,
      nullable: true,
      description: 'The wallet that it was begun with; null when that was unlinked, and the session ended with it.',
    }),
    isBound: t.boolean({
      description:
        'Whether it was begun on an organization’s own domain: it is good for working in that organization, and neither ' +
        'shows nor changes what is its user’s own.',
      select: { domainId: true },
      resolve: ({ domainId }) => domainId !== null,
    }),
    isCurrent: t.boolean({
      description: 'Whether it is the session that asks.',
      select: { id: true },
      resolve: ({ id }, _args, { viewer }) => id === viewer?.sessionId,
    }),
  }),
});

const SessionConnection = builder.connectionObject(
  { type: SessionRef, name: 'SessionConnection', description: 'A page of sessions.' },
  { name: 'SessionEdge', description: 'One session of a page.' },
);

/** What is alive: not ended, not over, and not switched from what has ended. */
function living({ clock }: Context): object[] {
  return [
    { endedAt: null, expiresAt: { gt: new Date(clock.now()) } },
    { OR: [{ rootId: null }, { root: { endedAt: null } }] },
  ];
}

builder.prismaObjectFields(ViewerRef, (t) => ({
  session: t.field({
    type: SessionRef,
    description: 'The session that asks.',
    select: (_args, { viewer }, nestedSelection) => ({
      user: { select: { sessions: nestedSelection({ where: { id: viewer?.sessionId ?? '' } }) } },
    }),
    resolve: ({ user }) => user.sessions[0] as never,
  }),
  sessions: t.connection(
    {
      type: SessionRef,
      description:
        'The user’s sessions that are alive, in all organizations, the newest first; to a bound one, itself alone.',
      select: (args, context, nestedSelection) => {
        const page = pageQuery(args);
        const sessions = {
          ...page,
          where: { AND: [...page.where.AND, ...living(context)] },
          ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object),
        };
        return { user: { select: { sessions } } };
      },
      resolve: ({ user }, args) => pageOf(user.sessions as never, args) as never,
    },
    SessionConnection,
  ),
}));

const EndSessionInput = builder.inputType('EndSessionInput', {
  description: 'Which session to end.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The session’s global id, as `viewer.sessions` shows it.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const EndSessionPayload = builder.objectRef<Done<{ readonly ended: boolean }>>('EndSessionPayload').implement({
  description: 'What became of a session.',
  fields: (t) => ({
    ended: t.exposeBoolean('ended', {
      description: 'Whether it is a session of the user’s, and over now; false for every other id, whatever it names.',
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

const EndOtherSessionsInput = builder.inputType('EndOtherSessionsInput', {
  description: 'How the user’s other sessions are ended.',
  fields: (t) => ({ idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }) }),
});

type FindSession = Parameters<Context['scope']['db']['session']['findUniqueOrThrow']>[0];
type FoundSession = Awaited<ReturnType<Context['scope']['db']['session']['findUniqueOrThrow']>>;

const EndOtherSessionsPayload = builder
  .objectRef<Done<{ readonly session: FoundSession }>>('EndOtherSessionsPayload')
  .implement({
    description: 'What is left of the user’s sessions.',
    fields: (t) => ({
      session: t.field({
        type: SessionRef,
        description: 'The session that asked, the only one that is left.',
        resolve: ({ session }) => session as never,
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

builder.mutationFields((t) => ({
  endSession: t.field({
    type: EndSessionPayload,
    description: 'Ends one of the user’s sessions; its tokens are good for nothing from the next statement on.',
    args: { input: t.arg({ type: EndSessionInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, context, info) => {
      const named = decodeGlobalId(input.id);
      return endSession(context, {
        // What names no session is asked for like one that nobody has.
        sessionId: named?.type === 'Session' ? named.id : newId(),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      });
    },
  }),
  endOtherSessions: t.field({
    type: EndOtherSessionsPayload,
    description: 'Ends all of the user’s sessions but the one that asks, which must not be bound.',
    args: { input: t.arg({ type: EndOtherSessionsInput, description: 'How; may be left out.' }) },
    resolve: (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'Session', path: ['session'] });
      return endOtherSessions(context, {
        idempotencyKey: givenKey(input?.idempotencyKey, context, info),
        read: (tx, id) =>
          tx.session.findUniqueOrThrow({
            select: { id: true },
            ...query,
            where: { id },
          } as FindSession) as Deed<FoundSession>,
      });
    },
  }),
}));
