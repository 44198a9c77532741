import { builder } from '../../graphql/builder.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { deleteUser } from '../commands/deleteUser.ts';

const DeleteUserInput = builder.inputType('DeleteUserInput', {
  description: 'Who is to go.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The viewer’s own global id, so that nobody goes by mistake.' }),
  }),
});

const DeleteUserPayload = builder.objectRef<{ readonly userId: string }>('DeleteUserPayload').implement({
  description: 'A user is gone, with every session.',
  fields: (t) => ({
    userId: t.id({
      description: 'The global id that they had; nobody gets it again.',
      resolve: ({ userId }) => encodeGlobalId('User', userId),
    }),
  }),
});

builder.mutationField('deleteUser', (t) =>
  t.field({
    type: DeleteUserPayload,
    description:
      'Deletes the viewer: what proved them proves nobody, what they told of themselves is gone, and so are the organizations that nobody else belongs to. It cannot be undone. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: DeleteUserInput, required: true, description: 'Who.' }) },
    resolve: (_root, { input: { userId } }, context) => {
      const named = decodeGlobalId(userId);
      return deleteUser(context, { userId: named?.type === 'User' ? named.id : null });
    },
  }),
);
