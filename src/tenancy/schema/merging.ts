import { builder } from '../../graphql/builder.ts';
import type { MergedOrganization, StoppedKey } from '../../identity/commands/previewMerge.ts';
import { MergePreviewRef } from '../../identity/schema/merging.ts';
import { ApiKeyKind } from './apiKeys.ts';
import { MembershipRole } from './organizations.ts';

const MergedOrganizationRef = builder.objectRef<MergedOrganization>('MergedOrganization').implement({
  description: 'An organization that a merged user will be a member of.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'How the organization is called.' }),
    viewerRole: t.expose('viewerRole', {
      type: MembershipRole,
      nullable: true,
      description: 'What the viewer may do in it now; null where the viewer is no member.',
    }),
    otherRole: t.expose('otherRole', {
      type: MembershipRole,
      nullable: true,
      description: 'What the other user may do in it now; null where they are no member.',
    }),
    role: t.expose('role', {
      type: MembershipRole,
      description: 'What the user will be able to do in it: the lower of two, unless nobody would own it then.',
    }),
  }),
});

builder.objectField(MergePreviewRef, 'organizations', (t) =>
  t.expose('organizations', {
    type: [MergedOrganizationRef],
    description: 'Wherever either is a member, the first founded first.',
  }),
);

const StoppedApiKeyRef = builder.objectRef<StoppedKey>('StoppedApiKey').implement({
  description:
    'An API key that stops when its user goes: a personal one for good, any other until an owner confirms it with `confirmApiKey`.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'How it is called.' }),
    kind: t.expose('kind', { type: ApiKeyKind, description: 'What it is for.' }),
    organizationName: t.exposeString('organizationName', { description: 'How its organization is called.' }),
    isViewers: t.exposeBoolean('isViewers', { description: 'Whether it is the viewer who answers for it.' }),
  }),
});

builder.objectField(MergePreviewRef, 'apiKeys', (t) =>
  t.expose('apiKeys', {
    type: [StoppedApiKeyRef],
    description: 'The API keys that stop, those of the organization that was founded first before others.',
  }),
);
