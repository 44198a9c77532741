import type { Context } from '../../context.ts';
import { assertPerson } from '../../kernel/viewer.ts';

/**
 * What tells one state of the viewer from another: user, profile, wallets, memberships, permissions, organization, own
 * session.
 */
export async function readViewerVersion({ viewer, scope }: Context): Promise<string> {
  assertPerson(viewer);
  const { userId, organizationId, sessionId } = viewer;
  const [row] = await scope.db.$queryRaw<[{ version: string }]>`
    /* readViewerVersion */
    select encode(sha256(convert_to(jsonb_build_array(
      (select jsonb_build_array(u.display_name, u.avatar_url) from users u where u.id = ${userId}::uuid),
      (select to_jsonb(p) from user_profiles p where p.user_id = ${userId}::uuid),
      (
        select jsonb_agg(jsonb_build_array(i.id, i.is_primary) order by i.id)
        from identities i
        where i.user_id = ${userId}::uuid
      ),
      (
        select jsonb_agg(jsonb_build_array(m.organization_id, m.role, m.role_id, m.status) order by m.organization_id)
        from memberships m
        where m.user_id = ${userId}::uuid
      ),
      current_setting('app.permissions', true),
      (select jsonb_build_array(o.name, o.slug) from organizations o where o.id = ${organizationId}::uuid),
      (select s.proved_at from sessions s where s.id = ${sessionId}::uuid)
    )::text, 'UTF8')), 'hex') as version`;
  return row.version;
}
