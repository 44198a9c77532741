import type { Transaction } from '../../database/scope.ts';
import { compareProjection } from '../../events/commands/compareProjection.ts';
import type { DeliveredFact } from '../../events/model.ts';
import { WATCHED_PROJECTIONS } from '../model/projections.ts';

/**
 * Compares the rows that facts are about with what the log says of them, and answers which facts' rows say something else.
 * It is asked as a subscriber of the log: rows are updated where facts are appended, so at no instant may they differ.
 */
export async function checkProjections(
  tx: Transaction,
  organizationId: string,
  facts: readonly DeliveredFact[],
): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  for (const projection of WATCHED_PROJECTIONS) {
    const concerned = facts.filter(({ aggregateType }) => aggregateType === projection.aggregate);
    if (concerned.length === 0) continue;
    const { differences } = await compareProjection(
      { read: (statement) => tx.$queryRaw(statement) },
      {
        projection,
        organizationId,
        ids: [...new Set(concerned.map(({ aggregateId }) => aggregateId))],
        most: concerned.length,
      },
    );
    for (const { id, shown, told } of differences) {
      const fault = `${projection.table} ${id} is ${JSON.stringify(shown)}, and was told to be ${JSON.stringify(told)}`;
      for (const { aggregateId, eventId } of concerned) if (aggregateId === id) failures.set(eventId, fault);
    }
  }
  return failures;
}
