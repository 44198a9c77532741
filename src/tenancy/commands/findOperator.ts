import type { Context } from '../../context.ts';
import { GatewayError } from '../../kernel/errors.ts';

/**
 * Whether the viewer is an operator: asked by entering as one.
 * @throws OPERATOR_NOT_CONFIGURED, STEP_UP_REQUIRED for an operator without a fresh proof
 */
export async function findOperator(context: Context): Promise<boolean> {
  const { viewer } = context;
  try {
    const scope = context.operatorScope();
    await scope.db.$queryRaw`/* enterOnly */ select`;
    return true;
  } catch (error) {
    if (
      error instanceof GatewayError &&
      (error.code === 'FORBIDDEN' || (!viewer && error.code === 'UNAUTHENTICATED'))
    ) {
      return false;
    }
    throw error;
  }
}
