import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { createEmailCode, type SentCode } from '../commands/createEmailCode.ts';
import { type LinkedIdentity, linkEmail } from '../commands/linkEmail.ts';
import { IdentityRef } from './identities.ts';

const CreateEmailCodeInput = builder.inputType('CreateEmailCodeInput', {
  description: 'The e-mail address to prove.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address, such as alice@example.org.' }),
  }),
});

const CreateEmailCodePayload = builder.objectRef<SentCode>('CreateEmailCodePayload').implement({
  description: 'A code that is on its way to an e-mail address; the same whether or not the address is anybody’s here.',
  fields: (t) => ({
    email: t.exposeString('email', {
      description: 'The address as it will be stored: in lower case, its domain in the letters of the name system.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the code ends.' }),
  }),
});

const LinkEmailInput = builder.inputType('LinkEmailInput', {
  description: 'An e-mail address, and the code that was sent there.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address.' }),
    code: t.string({ required: true, description: 'The eight digits of the newest mail.' }),
  }),
});

type FindIdentity = Parameters<Context['scope']['db']['identity']['findUniqueOrThrow']>[0];

const LinkEmailPayload = builder.objectRef<LinkedIdentity>('LinkEmailPayload').implement({
  description: 'An e-mail address that is the signed-in user’s.',
  fields: (t) => ({
    identity: t.prismaField({
      type: IdentityRef,
      description: 'The address, as an identity.',
      resolve: (query, { identityId }, _args, { scope }) =>
        scope.db.identity.findUniqueOrThrow({ ...(query as object), where: { id: identityId } } as FindIdentity),
    }),
    alreadyLinked: t.exposeBoolean('alreadyLinked', { description: 'Whether it was so before; then nothing changed.' }),
  }),
});

builder.mutationFields((t) => ({
  createEmailCode: t.field({
    type: CreateEmailCodePayload,
    description:
      'Sends a code to an e-mail address, for `linkEmail`: three an hour to one address and of one user. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: CreateEmailCodeInput, required: true, description: 'The address.' }) },
    resolve: (_root, { input }, context) => createEmailCode(context, input),
  }),
  linkEmail: t.field({
    type: LinkEmailPayload,
    description:
      'Makes an e-mail address the signed-in user’s, by the code that was sent there. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: LinkEmailInput, required: true, description: 'Address and code.' }) },
    resolve: (_root, { input }, context) => linkEmail(context, input),
  }),
}));
