import { builder } from '../../graphql/builder.ts';
import { decodeGlobalId, newId } from '../../kernel/ids.ts';
import { type CarriedSession, carryTokens } from '../commands/carryTokens.ts';
import { renewTokens } from '../commands/renewTokens.ts';
import { signOut } from '../commands/signOut.ts';
import { switchOrganization } from '../commands/switchOrganization.ts';
import { loadViewer, ViewerRef } from './viewer.ts';

/** Where a session's tokens go. */
export const TokenTransportEnum = builder.enumType('TokenTransport', {
  description: 'Where a session’s tokens go.',
  values: {
    BEARER: { description: 'Into the answer; the client keeps them and sends `Authorization: Bearer …`.' },
    COOKIE: {
      description:
        'Into cookies that no code of the page can read. Needs a gateway with COOKIES=1, the header ' +
        '`X-Tollhouse-CSRF: 1` and a page of one of the sign-in origins, now and with each request that follows.',
    },
  } as const,
});

/** What every input says of its `transport`. */
export const TRANSPORT = 'Where the tokens go: into the answer unless said otherwise.';

/** What the field for an invitation’s token says. */
export const INVITATION_TOKEN =
  'The token of an invitation that came by mail: a stranger signs up with it where SIGN_UP=invite-only, and accepts it then.';

/** The same answer for beginning a session, for refreshing it and for switching. */
export function sessionPayload(name: string, description: string) {
  return builder.objectRef<CarriedSession>(name).implement({
    description,
    fields: (t) => ({
      accessToken: t.exposeString('accessToken', {
        nullable: true,
        description: 'Sent as `Authorization: Bearer …` with every request; good for minutes. Null when in a cookie.',
      }),
      refreshToken: t.exposeString('refreshToken', {
        nullable: true,
        description: 'Kept safe and exchanged once for the next pair, with `refreshSession`. Null when in a cookie.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the access token ends.' }),
      isNewUser: t.exposeBoolean('isNewUser', { description: 'Whether this wallet has just signed up.' }),
      viewer: t.prismaField({
        type: ViewerRef,
        description: 'Who is signed in.',
        resolve: (query, _signedIn, _args, context) => loadViewer(context, query),
      }),
    }),
  });
}

const RefreshPayload = sessionPayload('RefreshSessionPayload', 'A session that goes on.');
const SwitchPayload = sessionPayload(
  'SwitchOrganizationPayload',
  'A session in another organization, beside the one that asked for it.',
);

const RefreshSessionInput = builder.inputType('RefreshSessionInput', {
  description: 'The refresh token that was given out last.',
  fields: (t) => ({
    refreshToken: t.string({
      description: 'Spent by this; its successor is in the answer. When absent it is taken from the cookie.',
    }),
    transport: t.field({
      type: TokenTransportEnum,
      defaultValue: 'BEARER',
      required: true,
      description: `${TRANSPORT} What came in a cookie goes into one again.`,
    }),
  }),
});

const SwitchOrganizationInput = builder.inputType('SwitchOrganizationInput', {
  description: 'Where to work.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'An organization that `viewer.memberships` lists.' }),
  }),
});

const SignOutPayload = builder.objectRef<{ signedOut: true }>('SignOutPayload').implement({
  description: 'A session that has ended.',
  fields: (t) => ({
    signedOut: t.exposeBoolean('signedOut', { description: 'Always true; a failure is an error.' }),
  }),
});

builder.mutationFields((t) => ({
  refreshSession: t.field({
    type: RefreshPayload,
    description: 'Exchanges a refresh token for the next pair of tokens. One that was spent before ends the session.',
    args: { input: t.arg({ type: RefreshSessionInput, required: true, description: 'The token.' }) },
    resolve: (_root, { input }, context) => renewTokens(context, input),
  }),
  switchOrganization: t.field({
    type: SwitchPayload,
    description:
      'Opens a session in another organization of the user’s, with tokens of its own: those of the session that asks ' +
      'go on working where they did. Tokens that came in cookies are replaced there.',
    args: { input: t.arg({ type: SwitchOrganizationInput, required: true, description: 'Where to.' }) },
    resolve: (_root, { input }, context) => {
      const named = decodeGlobalId(input.organizationId);
      // What names no organization is asked for like one that nobody has.
      const organizationId = named?.type === 'Organization' ? named.id : newId();
      return carryTokens(context, {
        transport: context.cookies.present ? 'COOKIE' : 'BEARER',
        open: () => switchOrganization(context, { organizationId }),
      });
    },
  }),
  signOut: t.field({
    type: SignOutPayload,
    description:
      'Ends the session, and all that were switched to since signing in; their tokens are good for nothing from the ' +
      'next statement on.',
    resolve: async (_root, _args, context) => {
      await signOut(context);
      return { signedOut: true } as const;
    },
  }),
}));
