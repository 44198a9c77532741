import { builder } from '../graphql/builder.ts';
import { followEvents } from './commands/followEvents.ts';
import type { LoggedEvent } from './commands/readEvents.ts';
import { writeEventCursor } from './model.ts';

/** A fact of the log, as the organization's own members see it. */
export const EventRef = builder.objectRef<LoggedEvent>('Event').implement({
  description: 'A fact: what happened, never changed. docs/domains/events.md lists the types.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its own id, for whoever must not count it twice.' }),
    type: t.exposeString('type', { description: 'What happened: `<aggregate>.<past-tense>`.' }),
    version: t.exposeInt('version', { description: 'The version of the shape of `data`.' }),
    actor: t.exposeString('actor', { description: 'Who did it: `user:<uuid>`, `payer` or `worker`.' }),
    aggregateType: t.exposeString('aggregateType', { description: 'What it happened to.' }),
    aggregateId: t.exposeID('aggregateId', { description: 'Which one: its UUID.' }),
    aggregateVersion: t.exposeInt('aggregateVersion', {
      description: 'Its place in the history of that one, from 1, without gaps.',
    }),
    tags: t.exposeStringList('tags', { description: 'The ids that it is about, as `type:id`.' }),
    data: t.field({
      type: 'JsonObject',
      description: 'What is told of it; amounts are texts, since no number of JSON holds them.',
      resolve: ({ data }) => data,
    }),
    requestId: t.exposeString('requestId', { nullable: true, description: 'The request that it came of.' }),
    correlationId: t.exposeString('correlationId', {
      nullable: true,
      description:
        'What all that follows from one fact has in common: the `id` of that first fact; one that follows from none has ' +
        'its own. Null for facts of before it was kept.',
    }),
    causationId: t.exposeID('causationId', {
      nullable: true,
      description:
        'The `id` of the fact that this one follows from, of this organization; null where it follows from none.',
    }),
    source: t.exposeString('source', {
      nullable: true,
      description:
        'Which door it came through: `member`, `key`, `public` (payers), `identity` (signing in), `operator`, `worker`, or ' +
        '`owner` for whoever has the database. Null for facts of before it was kept.',
    }),
    recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When it was told.' }),
  }),
});

const EventEdge = builder.edgeObject({
  type: EventRef,
  name: 'EventEdge',
  description: 'One fact of the log, with its place there.',
});

/** A page of the log. */
export const EventConnection = builder.connectionObject(
  { type: EventRef, name: 'EventConnection', description: 'A page of the log.' },
  EventEdge,
);

builder.subscriptionField('events', (t) =>
  t.field({
    type: EventEdge,
    description:
      'The log of the organization, fact by fact in its order: what stands behind `after`, and then whatever is told. ' +
      'Whoever comes back with the last cursor misses nothing, and may be told the last fact twice. Needs the permission ' +
      '`events:read`; ends with the code that the next request would get.',
    args: {
      after: t.arg.string({ description: 'The last cursor that was taken care of; from now on when absent.' }),
      types: t.arg.stringList({ description: 'Only facts of these types.' }),
      tags: t.arg.stringList({ description: 'Only facts that are about all of these, as `type:id`.' }),
    },
    subscribe: (_root, args, context) => followEvents(context, args),
    resolve: (event) => ({ cursor: writeEventCursor(event), node: event }),
  }),
);
