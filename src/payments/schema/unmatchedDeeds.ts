import { builder } from '../../graphql/builder.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { ignoreUnmatchedPayments } from '../commands/ignoreUnmatchedPayments.ts';
import { UnmatchedPaymentRef } from './unmatched.ts';

// What is done with many entries of the inbox at once.

const IgnoreAllInput = builder.inputType('IgnoreUnmatchedPaymentsInput', {
  description: 'Which money is put aside, and why.',
  fields: (t) => ({
    ids: t.idList({ required: true, description: 'The entries’ global ids, 1 to 100.' }),
    note: t.string({ required: true, description: 'Why; up to 1,000 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const IgnoreAllPayload = builder
  .objectRef<Done<{ readonly ids: readonly string[] }>>('IgnoreUnmatchedPaymentsPayload')
  .implement({
    description: 'Money that was put aside.',
    fields: (t) => ({
      unmatchedPayments: t.prismaField({
        type: [UnmatchedPaymentRef],
        description: 'The entries, in the order in which they were named.',
        resolve: async (query, { ids }, _args, { scope }) => {
          const found = (await scope.db.unmatchedPayment.findMany({
            ...query,
            where: { id: { in: [...ids] } },
          } as never)) as unknown as { readonly id: string }[];
          return found.sort((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id)) as never;
        },
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

builder.mutationField('ignoreUnmatchedPayments', (t) =>
  t.field({
    type: IgnoreAllPayload,
    description:
      'Puts up to a hundred entries of the inbox aside at once, or none of them where one cannot be. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: IgnoreAllInput, required: true, description: 'Which, and why.' }) },
    resolve: (_root, { input }, context, info) =>
      ignoreUnmatchedPayments(context, {
        ids: input.ids.map((id) => {
          const named = decodeGlobalId(id);
          return named?.type === 'UnmatchedPayment' ? named.id : null;
        }),
        note: input.note,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
);
