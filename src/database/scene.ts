import { AsyncLocalStorage } from 'node:async_hooks';
import type { KeyClaim } from '../kernel/viewer.ts';
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
      readonly account?: Account;
      /** What was proved together with the account, and may be linked like it. */
      readonly beside?: readonly Account[];
    }
  /** An API key: it is checked again, with its organization, and with whoever answers for it. */
  | {
      readonly kind: 'key';
      readonly requestId: string;
      readonly claim: KeyClaim;
      /** The request that asks: it counts once for the key's limit, with the first statement that goes through. */
      readonly call: { counted: boolean };
    }
  /** An operator who looks into an organization: reads what its members may, without being one, and writes nothing. */
  | {
      readonly kind: 'impersonation';
      readonly requestId: string;
      readonly impersonationId: string;
      readonly organizationId: string;
    }
  /** The operator, in a pool of its own: the session is checked, that its user is one, and how fresh its proof is. */
  | {
      readonly kind: 'operator';
      readonly requestId: string;
      readonly sessionId: string;
      readonly freshSeconds: number;
    }
  /** Signing in and refreshing: sees one session, and the one account that was just proved. */
  | {
      readonly kind: 'identity';
      readonly requestId: string;
      readonly sessionId?: string;
      readonly account?: Account;
      /** What was proved together with the account: it may be added to the same user, and nobody is found by it. */
      readonly beside?: readonly Account[];
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

/** What proves a user: who vouches for it, and the name that it has there. */
export interface Account {
  readonly issuer: string;
  readonly subject: string;
}

/** What a handle may stand for. */
export type HandleKind = 'payment-link' | 'payment-order' | 'domain';

// The person is nobody in a session that is bound to an organization's own domain: nothing of a person's own is reached.
const ENTER_MEMBER = `/* enterMember */
select
  set_config('role', 'tollhouse_member', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.organization_id', $3::text, true),
  set_config('app.user_id', entered.user_id::text, true),
  set_config('app.person_id', coalesce(entered.person_id::text, ''), true),
  set_config('app.permissions', entered.permissions, true)
from enter_session($2::text::uuid, $3::text::uuid) entered`;

const ENTER_MEMBER_WITH_ACCOUNT = `/* enterMemberWithAccount */
select
  set_config('role', 'tollhouse_member', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.organization_id', $3::text, true),
  set_config('app.user_id', entered.user_id::text, true),
  set_config('app.person_id', coalesce(entered.person_id::text, ''), true),
  set_config('app.permissions', entered.permissions, true),
  set_config('app.identity_issuer', $4::text, true),
  set_config('app.identity_subject', $5::text, true),
  set_config('app.identities', $6::text, true)
from enter_session($2::text::uuid, $3::text::uuid) entered`;

// A key is nobody: without a user no row is one's own.
const ENTER_KEY = `/* enterKey */
select
  set_config('role', 'tollhouse_member', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', '', true),
  set_config('app.organization_id', entered.organization::text, true),
  set_config('app.user_id', '', true),
  set_config('app.key_id', entered.key::text, true),
  set_config('app.responsible_id', entered.responsible::text, true),
  set_config('app.permissions', entered.permissions, true)
from enter_key($2::bytea, $3::bytea, $4::text, $5::text, $6::boolean) entered`;

// Nothing turns a transaction that has begun to read into one that may write. Without a user no row is one's own.
const ENTER_IMPERSONATION = `/* enterImpersonation */
select
  set_config('role', 'tollhouse_member', true),
  set_config('transaction_read_only', 'on', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', '', true),
  set_config('app.organization_id', $3::text, true),
  set_config('app.user_id', '', true),
  set_config('app.permissions', entered.permissions, true)
from enter_impersonation($2::text::uuid, $3::text::uuid) entered (permissions)`;

const ENTER_OPERATOR = `/* enterOperator */
select
  set_config('role', 'tollhouse_operator', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.user_id', entered.user_id::text, true)
from enter_operator($2::text::uuid, $3::text::integer) entered (user_id)`;

const ENTER_IDENTITY = `/* enterIdentity */
select
  set_config('role', 'tollhouse_identity', true),
  set_config('app.request_id', $1::text, true),
  set_config('app.session_id', $2::text, true),
  set_config('app.identity_issuer', $3::text, true),
  set_config('app.identity_subject', $4::text, true),
  set_config('app.user_id', coalesce(enter_identity($3::text, $4::text)::text, $5::text), true),
  set_config('app.organization_id', $6::text, true),
  set_config('app.identities', $7::text, true)`;

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
      return { text: ENTER_MEMBER_WITH_ACCOUNT, values: [...values, account.issuer, account.subject, provedIn(scene)] };
    }
    case 'key': {
      const { prefixHash, secretHash, address, origin } = scene.claim;
      return {
        text: ENTER_KEY,
        values: [scene.requestId, prefixHash, secretHash, address, origin, !scene.call.counted],
      };
    }
    case 'impersonation':
      return { text: ENTER_IMPERSONATION, values: [scene.requestId, scene.impersonationId, scene.organizationId] };
    case 'operator':
      return { text: ENTER_OPERATOR, values: [scene.requestId, scene.sessionId, scene.freshSeconds] };
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
          provedIn(scene),
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

/** Is told that statements of the scene went through: whatever else the request asks for is not counted again. */
export function entered(scene: Scene): void {
  if (scene.kind === 'key') scene.call.counted = true;
}

/** All accounts that may be added in the scene, as the policies read them. */
function provedIn({
  account,
  beside = [],
}: {
  readonly account?: Account;
  readonly beside?: readonly Account[];
}): string {
  if (!account) return '';
  return JSON.stringify([account, ...beside].map(({ issuer, subject }) => ({ issuer, subject })));
}

/** A scene, with the place in a packet that an operation was lent. */
export type CurrentScene = Scene & { readonly place?: Place };

/** The scene of whatever is running now; a query that is started outside any scene is refused. */
export const currentScene: AsyncLocalStorage<CurrentScene> = new AsyncLocalStorage();
