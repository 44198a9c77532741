import { readEvents } from '../../events/commands/readEvents.ts';
import { LOG_START, readEventCursor, writeEventCursor } from '../../events/model.ts';
import { EventConnection, EventRef } from '../../events/schema.ts';
import { builder } from '../../graphql/builder.ts';
import { sizeOf } from '../../graphql/connection.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { OrganizationRef } from './organizations.ts';

builder.prismaObjectField(OrganizationRef, 'events', (t) =>
  t.connection(
    {
      type: EventRef,
      description:
        'What happened, the oldest first. Whoever goes on from the last cursor misses nothing; facts of the last moment come as soon as nothing can be committed before them. It is read forwards alone.',
      args: {
        types: t.arg.stringList({ description: 'Only facts of these types.' }),
        tags: t.arg.stringList({ description: 'Only facts that are about all of these, as `type:id`.' }),
      },
      resolve: async ({ id: organizationId }, { types, tags, ...page }, { scope }) => {
        if (page.last != null || page.before != null) {
          throw kernelErrors.BAD_USER_INPUT({ argument: page.last == null ? 'before' : 'last', expected: 'none' });
        }
        const size = sizeOf(page);
        const after = page.after == null ? LOG_START : readEventCursor(page.after);
        const rows = await readEvents(scope.db, { organizationId, after, types, tags, limit: size + 1 });
        const edges = rows.slice(0, size).map((node) => ({ cursor: writeEventCursor(node), node }));
        return {
          edges,
          pageInfo: {
            hasNextPage: rows.length > size,
            hasPreviousPage: page.after != null,
            startCursor: edges[0]?.cursor ?? null,
            endCursor: edges.at(-1)?.cursor ?? null,
          },
        };
      },
    },
    EventConnection,
  ),
);
