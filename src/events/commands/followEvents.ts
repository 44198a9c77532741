import type { Context } from '../../context.ts';
import { follow } from '../../graphql/follow.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { isKey } from '../../kernel/viewer.ts';
import { type EventPosition, type EventQuery, readEventCursor } from '../model.ts';
import { findLogEnd } from './findLogEnd.ts';
import { type LoggedEvent, readEvents } from './readEvents.ts';

/** How many facts are read at a time. */
const PAGE = 100;

/**
 * Follows the log of the viewer's organization: what stands behind the cursor, and then whatever is told, in the order of
 * the log and without a gap; from now on when there is no cursor. Each fact is read under the subscriber's own role.
 * @throws UNAUTHENTICATED, FORBIDDEN, INVALID_CURSOR, TOO_MANY_STREAMS
 */
export function followEvents(
  context: Context,
  input: EventQuery & { readonly after?: string | null | undefined },
): AsyncIterableIterator<LoggedEvent> {
  const { viewer, scope } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  const { types, tags } = input;
  return follow<EventPosition, LoggedEvent>(context, {
    topics: [
      `events:${organizationId}`,
      `organization:${organizationId}`,
      ...(isKey(viewer) ? [] : [`user:${viewer.userId}`]),
    ],
    after: input.after == null ? null : readEventCursor(input.after),
    most: PAGE,
    read: async (after) => {
      const rows = await readEvents(scope.db, { organizationId, after, types, tags, limit: PAGE });
      return rows.map((row) => ({ place: row, item: row }));
    },
    findEnd: async () => {
      const { permitted, end } = await findLogEnd(scope.db);
      // who may read the log no more is shown nothing of it, and is to hear why
      if (!permitted) throw kernelErrors.FORBIDDEN({ permission: 'events:read' });
      return end;
    },
  });
}
