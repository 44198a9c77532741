import type { Context } from '../../context.ts';

/**
 * Whether all that a refund of the viewer's organization is of is as final as it has to be, so that nothing goes back
 * which the chain could take away; false for whoever may not read payments.
 */
export async function isRefundBacked(
  { scope }: Pick<Context, 'scope'>,
  { id }: { readonly id: string },
): Promise<boolean> {
  const [row] = await scope.db.$queryRaw<{ backed: boolean | null }[]>`
    /* isRefundBacked */
    select is_refund_backed(${id}::uuid) as backed`;
  return row?.backed === true;
}
