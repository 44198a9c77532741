import { AsyncLocalStorage } from 'node:async_hooks';
import type { Place } from './batch.ts';
import type { Statement } from './packet.ts';

/**
 * Who a statement runs as. Entering a scene is one statement that travels in front of the guarded one: it looks the
 * claim up in the database, sets the role and the settings that the policies read, for this transaction only.
 */
export type Scene =
  /** A signed-in person: the session is checked again, with its user, membership and organization. */
  | {
      readonly kind: 'member';
      readonly requestId: string;
      readonly sessionId: string;
      readonly organizationId: string;
      /** The account that this very request has proved; no other can be linked. */
      readonly account?: { readonly issuer: string; readonly subject: string };
    }
  /** Signing in and refreshing: sees one session, and the one account that was just proved. */
  | {
      readonly kind: 'identity';
      readonly requestId: string;
      readonly sessionId?: string;
      readonly account?: { readonly issuer: string; readonly subject: string };
      /** The ids that a user and an organization get, should the account be unknown. */
      readonly newcomer?: { readonly userId: string; readonly organizationId: string };
    }
  /** Nobody in particular, who perhaps came with a handle: a link's slug, or the token of an order. */
  | {
      readonly kind: 'public';
      readonly requestId: string;
      readonly handle?: { readonly kind: HandleKind; readonly valueHash: Buffer };
    }
  /** Background work, across tenants or inside one. */
  | { readonly kind: 'worker'; readonly requestId: string; readonly organizationId?: string };

/** What a handle may stand for. */
export type HandleKind = 'payment-link' | 'payment-order';

const ENTER_MEMBER = `/* enterMember */
select
  set_config('role', 'tollhouse_member', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.organization_id', $3::text, true),
  set_config('app.user_id', entered.user_id::text, true),
  set_config('app.permissions', entered.permissions, true)
from enter_session($2::text::uuid, $3::text::uuid) entered`;

const ENTER_MEMBER_WITH_ACCOUNT = `/* enterMemberWithAccount */
select
  set_config('role', 'tollhouse_member', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.organization_id', $3::text, true),
  set_config('app.user_id', entered.user_id::text, true),
  set_config('app.permissions', entered.permissions, true),
  set_config('app.identity_issuer', $4::text, true),
  set_config('app.identity_subject', $5::text, true)
from enter_session($2::text::uuid, $3::text::uuid) entered`;

const ENTER_IDENTITY = `/* enterIdentity */
select
  set_config('role', 'tollhouse_identity', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.identity_issuer', $3::text, true),
  set_config('app.identity_subject', $4::text, true),
  set_config('app.user_id', coalesce(enter_identity($3::text, $4::text)::text, $5::text), true),
  set_config('app.organization_id', $6::text, true)`;

const ENTER_PUBLIC = `/* enterPublic */
select
  set_config('role', 'tollhouse_public', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.organization_id', coalesce(found.organization_id::text, ''), true),
  set_config('app.target_id', coalesce(found.target_id::text, ''), true)
from resolve_handle($2::text, $3::bytea) found`;

const ENTER_WORKER = `/* enterWorker */
select
  set_config('role', 'tollhouse_worker', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.organization_id', $2::text, true)`;

/** The statement that enters a scene; it raises when the claim does not hold, and everything behind it is undone. */
export function enter(scene: Scene): Statement {
  switch (scene.kind) {
    case 'member': {
      const { account } = scene;
      const values = [scene.requestId, scene.sessionId, scene.organizationId];
      if (!account) return { text: ENTER_MEMBER, values };
      return { text: ENTER_MEMBER_WITH_ACCOUNT, values: [...values, account.issuer, account.subject] };
    }
    case 'identity': {
      const { account, newcomer } = scene;
      return {
        text: ENTER_IDENTITY,
        values: [
          scene.requestId,
          scene.sessionId ?? '',
          account?.issuer ?? '',
          account?.subject ?? '',
          newcomer?.userId ?? '',
          newcomer?.organizationId ?? '',
        ],
      };
    }
    case 'public':
      return {
        text: ENTER_PUBLIC,
        values: [scene.requestId, scene.handle?.kind ?? '', scene.handle?.valueHash ?? Buffer.alloc(0)],
      };
    case 'worker':
      return { text: ENTER_WORKER, values: [scene.requestId, scene.organizationId ?? ''] };
  }
}

/** A scene, with the place in a packet that an operation was lent. */
export type CurrentScene = Scene & { readonly place?: Place };

/** The scene of whatever is running now; a query that is started outside any scene is refused. */
export const currentScene: AsyncLocalStorage<CurrentScene> = new AsyncLocalStorage();
