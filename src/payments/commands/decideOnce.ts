import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { type GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from '../../tenancy/commands/requireOrganizationStepUp.ts';
import { paymentErrors } from '../errors.ts';
import { factOf } from '../model/refusals.ts';

/** What a function of the database answers: why it did nothing, or nothing. */
export type Refusal = readonly { readonly refusal: string | null }[];

/**
 * Has the database decide about one thing of the viewer's organization, once for each key; it says who may, and what
 * there is against it, which undoes everything.
 * @param decision.id of what the answer is about
 * @throws UNAUTHENTICATED, FORBIDDEN, STEP_UP_REQUIRED, and the refusals of the table below
 */
export async function decideOnce(
  { scope, viewer }: Pick<Context, 'scope' | 'viewer'>,
  decision: {
    readonly operation: string;
    readonly id: string;
    readonly variables: object;
    readonly idempotencyKey: GivenKey | null;
    readonly decide: (tx: Transaction) => Deed<Refusal>;
  },
): Promise<Done<{ readonly id: string }>> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { operation, id, variables, idempotencyKey, decide } = decision;
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId: viewer.organizationId,
      principal: actorOf(viewer),
      operation,
      variables,
      resultId: id,
      isMoney: true,
    },
    (record) =>
      scope.transaction(async (tx) => {
        // the database asks for it with whatever is decided; a used key decides nothing, and answers nobody without it
        if (idempotencyKey) await requireOrganizationStepUp(tx);
        for (const deed of record(tx)) await deed;
        const [answer] = await decide(tx);
        if (answer?.refusal != null) throw explain(answer.refusal);
        return { id };
      }),
    async (known) => ({ id: known }),
  );
}

/** What the database's words mean: one of the domain's codes, and its facts. */
function explain(refusal: string): GatewayError {
  const [code = '', ...words] = refusal.split(' ');
  if (!(code in REFUSALS || code in UNDECIDED))
    throw new Error(`The database refused for a reason that nobody knows: ${refusal}.`);
  if (code in UNDECIDED)
    return UNDECIDED[code as keyof typeof UNDECIDED]({ reason: words[0] ?? '' }, { retryAfter: RETRY_AFTER });
  const refuse = REFUSALS[code as keyof typeof REFUSALS];
  return refuse(Object.assign({}, ...words.map((word) => factOf(code, word))));
}

const {
  UNMATCHED_PAYMENT_NOT_FOUND,
  UNMATCHED_PAYMENT_CLOSED,
  TRANSFER_TAKEN,
  PAYEE_NOT_PROVED,
  ORDER_NOT_FOUND,
  ORDER_NOT_CANCELABLE,
  ORDER_UNDECIDED,
  ORDER_NOT_UNDERPAID,
  ORDER_TAKES_NOTHING,
  ASSET_MISMATCH,
  REFUND_NOT_FOUND,
  REFUND_CLOSED,
  REFUND_UNDECIDED,
  REFUND_EXCEEDS,
  DESTINATION_REFUSED,
  DESTINATION_NEEDS_OWNER,
  REFERENCE_TAKEN,
  MANUAL_PAYMENT_NOT_FOUND,
  MANUAL_PAYMENT_CLOSED,
} = paymentErrors;
/** What is not known yet, with the reason why. */
const UNDECIDED = { ORDER_UNDECIDED, REFUND_UNDECIDED };
/** In seconds; by then the worker has been there. */
const RETRY_AFTER = 2;
const REFUSALS = {
  UNMATCHED_PAYMENT_NOT_FOUND,
  UNMATCHED_PAYMENT_CLOSED,
  TRANSFER_TAKEN,
  PAYEE_NOT_PROVED,
  ORDER_NOT_FOUND,
  ORDER_NOT_CANCELABLE,
  ORDER_NOT_UNDERPAID,
  ORDER_TAKES_NOTHING,
  ASSET_MISMATCH,
  REFUND_NOT_FOUND,
  REFUND_CLOSED,
  REFUND_EXCEEDS,
  DESTINATION_REFUSED,
  DESTINATION_NEEDS_OWNER,
  REFERENCE_TAKEN,
  MANUAL_PAYMENT_NOT_FOUND,
  MANUAL_PAYMENT_CLOSED,
};
