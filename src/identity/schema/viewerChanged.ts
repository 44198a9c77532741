import { builder } from '../../graphql/builder.ts';
import { watch } from '../../graphql/streams.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { readViewerVersion } from '../commands/readViewerVersion.ts';
import { loadViewer, ViewerRef } from './viewer.ts';

builder.subscriptionField('viewerChanged', (t) =>
  t.prismaField({
    type: ViewerRef,
    description:
      'Who is asking: at once, and again whenever the user, profile, wallets, a membership, a role, the organization or ' +
      'the session changes. Ends with the code that the next request would get, within five seconds of what it is for; ' +
      'and with `UNAUTHENTICATED` when the access token ends.',
    subscribe: (_root, _args, context) => {
      const { viewer } = context;
      assertPerson(viewer);
      const { userId, organizationId } = viewer;
      return watch(context, {
        topics: [`user:${userId}`, `organization:${organizationId}`],
        version: () => readViewerVersion(context),
      });
    },
    resolve: (query, _version, _args, context) => loadViewer(context, query),
  }),
);
