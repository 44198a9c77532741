import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { updateProfile } from '../commands/updateProfile.ts';
import { ViewerRef } from './viewer.ts';

const LAST_SIGN_IN = {
  sessions: {
    select: { createdAt: true, clientAddress: true },
    // What was switched to was not signed in to.
    where: { rootId: null },
    orderBy: { createdAt: 'desc' },
    take: 1,
  },
} as const;

/** What a user tells of itself; its own table, which the database shows to nobody else. */
const Profile = builder.prismaObject('User', {
  variant: 'Profile',
  description: 'What the viewer tells of itself. Others see the display name and the picture of it, and nothing else.',
  select: { id: true },
  fields: (t) => ({
    displayName: t.exposeString('displayName', { description: 'How the user is called, by everybody.' }),
    avatarUrl: t.exposeString('avatarUrl', { nullable: true, description: 'The address of a picture, for everybody.' }),
    userName: t.string({
      nullable: true,
      description: 'A name that nobody else has, in lower case.',
      select: { profile: { select: { userName: true } } },
      resolve: ({ profile }) => profile?.userName ?? null,
    }),
    givenName: t.string({
      nullable: true,
      description: 'The given name.',
      select: { profile: { select: { givenName: true } } },
      resolve: ({ profile }) => profile?.givenName ?? null,
    }),
    familyName: t.string({
      nullable: true,
      description: 'The family name.',
      select: { profile: { select: { familyName: true } } },
      resolve: ({ profile }) => profile?.familyName ?? null,
    }),
    bio: t.string({
      nullable: true,
      description: 'A few words about the user.',
      select: { profile: { select: { bio: true } } },
      resolve: ({ profile }) => profile?.bio ?? null,
    }),
    timeZone: t.string({
      nullable: true,
      description: 'A name of the IANA time zone database, such as `Europe/Lisbon`.',
      select: { profile: { select: { timeZone: true } } },
      resolve: ({ profile }) => profile?.timeZone ?? null,
    }),
    language: t.string({
      nullable: true,
      description: 'A language tag of BCP 47, such as `pt-BR`.',
      select: { profile: { select: { language: true } } },
      resolve: ({ profile }) => profile?.language ?? null,
    }),
    preferences: t.field({
      type: 'Preferences',
      description: 'What front ends keep for the user; empty until something is kept.',
      select: { profile: { select: { preferences: true } } },
      resolve: ({ profile }) => profile?.preferences ?? {},
    }),
    lastSignInAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the user last signed in; refreshing and switching do not count.',
      select: LAST_SIGN_IN,
      resolve: ({ sessions }) => sessions[0]?.createdAt ?? null,
    }),
    lastSignInAddress: t.string({
      nullable: true,
      description: 'The network address that the user last signed in from.',
      select: LAST_SIGN_IN,
      resolve: ({ sessions }) => sessions[0]?.clientAddress ?? null,
    }),
  }),
});

builder.prismaObjectFields(ViewerRef, (t) => ({
  profile: t.relation('user', {
    type: Profile,
    description: 'What the viewer tells of itself; to a bound session, what everybody sees of it.',
  }),
}));

const UpdateProfileInput = builder.inputType('UpdateProfileInput', {
  description: 'What is to change: what is absent stays as it is, and null takes it away.',
  fields: (t) => ({
    displayName: t.string({ description: 'How the user is called, by everybody; 1 to 100 characters, never null.' }),
    avatarUrl: t.string({ description: 'The https:// address of a picture, for everybody; at most 2,000 characters.' }),
    userName: t.string({ description: 'A name that nobody else has: 3 to 30 of a–z, 0–9 and _, in whatever case.' }),
    givenName: t.string({ description: 'The given name; at most 100 characters.' }),
    familyName: t.string({ description: 'The family name; at most 100 characters.' }),
    bio: t.string({ description: 'A few words about the user; at most 2,000 characters.' }),
    timeZone: t.string({ description: 'A name of the IANA time zone database, such as `Europe/Lisbon`.' }),
    language: t.string({ description: 'A language tag of BCP 47, such as `pt-BR`.' }),
    preferences: t.field({ type: 'Preferences', description: 'All of them anew; what is not named is gone.' }),
  }),
});

type FindUser = Parameters<Context['scope']['db']['user']['findUniqueOrThrow']>[0];
type FoundUser = Awaited<ReturnType<Context['scope']['db']['user']['findUniqueOrThrow']>>;

const UpdateProfilePayload = builder.objectRef<{ readonly profile: FoundUser }>('UpdateProfilePayload').implement({
  description: 'A profile that was just changed.',
  fields: (t) => ({
    profile: t.field({ type: Profile, description: 'The profile.', resolve: ({ profile }) => profile as never }),
  }),
});

builder.mutationField('updateProfile', (t) =>
  t.field({
    type: UpdateProfilePayload,
    description: 'Changes what the viewer tells of itself, in a session that is not bound. Twice is once.',
    args: { input: t.arg({ type: UpdateProfileInput, required: true, description: 'What is to change.' }) },
    resolve: async (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'Profile', path: ['profile'] });
      const profile = await updateProfile(context, {
        ...input,
        read: (tx, id) => tx.user.findUniqueOrThrow({ ...query, where: { id } } as FindUser) as Deed<FoundUser>,
      });
      return { profile };
    },
  }),
);
