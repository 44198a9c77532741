import { builder } from '../../graphql/builder.ts';
import { encodeGlobalId } from '../../kernel/ids.ts';
import { mergeUsers } from '../commands/mergeUsers.ts';
import { type MergedIdentity, type MergePreview, previewMerge } from '../commands/previewMerge.ts';
import { IdentityKind } from './identities.ts';

const TICKET = 'The `mergeTicket` of the refusal `IDENTITY_LINKED_TO_OTHER_USER`.';

const MergedIdentityRef = builder.objectRef<MergedIdentity>('MergedIdentity').implement({
  description: 'What a merged user will be proved by.',
  fields: (t) => ({
    kind: t.expose('kind', { type: IdentityKind, description: 'What it is.' }),
    issuer: t.exposeString('issuer', { description: 'Who vouches for it.' }),
    subject: t.exposeString('subject', { description: 'The name that it has there.' }),
    isViewers: t.exposeBoolean('isViewers', { description: 'Whether it is the viewer’s already.' }),
    primary: t.exposeBoolean('isPrimary', { description: 'Whether it will be the wallet that the user prefers.' }),
  }),
});

/** What merging would make of two users. Tenancy adds the organizations. */
export const MergePreviewRef = builder.objectRef<MergePreview>('MergePreview').implement({
  description: 'What merging would make of the viewer and another user: of the two, the older is left.',
  fields: (t) => ({
    viewerSurvives: t.exposeBoolean('viewerSurvives', {
      description: 'Whether the viewer is who is left; else the viewer’s id will mean the other user.',
    }),
    identities: t.expose('identities', {
      type: [MergedIdentityRef],
      description: 'All that will prove the user, the first linked first.',
    }),
  }),
});

const MergeUsersInput = builder.inputType('MergeUsersInput', {
  description: 'Whom to merge with.',
  fields: (t) => ({ mergeTicket: t.string({ required: true, description: TICKET }) }),
});

const MergeUsersPayload = builder.objectRef<{ readonly userId: string }>('MergeUsersPayload').implement({
  description: 'Two users are one. No session of either is left: sign in again, with any wallet of theirs.',
  fields: (t) => ({
    userId: t.id({
      description: 'The global id of who is left; the other one’s means the same user from now on.',
      resolve: ({ userId }) => encodeGlobalId('User', userId),
    }),
  }),
});

builder.queryField('mergePreview', (t) =>
  t.field({
    type: MergePreviewRef,
    description: 'What `mergeUsers` with a ticket would make. Needs a proof that is minutes old: see `stepUp`.',
    args: { mergeTicket: t.arg.string({ required: true, description: TICKET }) },
    resolve: (_root, input, context) => previewMerge(context, input),
  }),
);

builder.mutationField('mergeUsers', (t) =>
  t.field({
    type: MergeUsersPayload,
    description:
      'Makes one user of the viewer and the one who has the identity that was just proved; every session of either ends. It cannot be undone. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: MergeUsersInput, required: true, description: 'The ticket.' }) },
    resolve: (_root, { input }, context) => mergeUsers(context, input),
  }),
);
