import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';
import { BATCH } from '../model.ts';
import { type Attempt, settleEach } from './settleEach.ts';

interface CalledOff {
  readonly organizationId: string;
  readonly id: string;
}

/**
 * Ends refunds that were called off after their destination was known, once every block up to a later head was read and
 * none has brought their transfer. Whatever those blocks have brought must have been judged before.
 * @param attempt keeps one that fails from holding up the others
 */
export async function finishCallOffs(
  context: WorkerContext,
  { chain, attempt }: { readonly chain: RegisteredChain; readonly attempt: Attempt },
): Promise<void> {
  await settleEach<CalledOff>({
    page: (after) => calledOff(context, chain, after),
    settle: ({ organizationId, id }) => {
      const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
      return attempt(
        scope.transaction(async (tx) => {
          const [{ isDone }] = await tx.$queryRaw<[{ isDone: boolean }]>`
            /* finishCallOff */
            select finish_call_off(${id}::uuid) as "isDone"`;
          return isDone;
        }),
      );
    },
  });
}

async function calledOff(
  context: WorkerContext,
  { incarnationId }: RegisteredChain,
  after: CalledOff | null,
): Promise<CalledOff[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<CalledOff[]>`
    /* calledOffRefunds */
    select r.organization_id as "organizationId", r.id
    from payment_refunds r
    join chain_incarnations i on i.id = r.incarnation_id
    where r.incarnation_id = ${incarnationId}::uuid
      and r.status = 'PENDING'
      and r.called_off_at < i.caught_up_at
      and (${after?.id ?? null}::uuid is null or r.id > ${after?.id ?? null}::uuid)
    order by r.id
    limit ${BATCH}`;
}
