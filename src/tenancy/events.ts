import type { NewEvent } from '../events/commands/appendEvent.ts';
import type { NextEvent } from '../events/commands/appendNextEvent.ts';

/** An organization began to exist, with its first owner. */
export function organizationCreated(fact: {
  readonly organizationId: string;
  readonly ownerId: string;
  readonly name: string;
}): NewEvent {
  return {
    type: 'organization.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'organization', id: fact.organizationId, version: 1 },
    actor: `user:${fact.ownerId}`,
    tags: [`organization:${fact.organizationId}`, `user:${fact.ownerId}`],
    data: { name: fact.name },
  };
}

/** A membership, whose it is, and who did something with it. */
interface MembershipDeed {
  readonly organizationId: string;
  readonly membershipId: string;
  readonly userId: string;
  readonly byId: string;
}

/** A membership was changed: these fields of it, and its role to this one, or this custom one, when that is among them. */
export function membershipUpdated(
  fact: MembershipDeed & {
    readonly fields: readonly string[];
    readonly role?: string | undefined;
    readonly roleId?: string | undefined;
  },
): NextEvent {
  const { fields, role, roleId } = fact;
  return ofMembership('updated', fact, { fields: fields.join(' '), ...(role && { role }), ...(roleId && { roleId }) });
}

/** A membership was ended by somebody else. */
export function memberRemoved(fact: MembershipDeed): NextEvent {
  return ofMembership('removed', fact, {});
}

function ofMembership(
  deed: string,
  { organizationId, membershipId, userId, byId }: MembershipDeed,
  data: NextEvent['data'],
): NextEvent {
  return {
    type: `membership.${deed}`,
    organizationId,
    aggregate: { type: 'membership', id: membershipId },
    actor: `user:${byId}`,
    tags: [`membership:${membershipId}`, `user:${userId}`],
    data,
  };
}

/** Something of an organization, and who changed it. */
interface OrganizationChange {
  readonly organizationId: string;
  readonly userId: string;
}

/** What an organization says of itself was changed: these fields of it. */
export function organizationUpdated(fact: OrganizationChange & { readonly fields: readonly string[] }): NextEvent {
  return updated('organization', fact, { fields: fact.fields.join(' ') });
}

/** An organization's settings were changed, to these; what is absent stayed. */
export function organizationSettingsUpdated(
  fact: OrganizationChange & { readonly requireStepUp?: boolean; readonly redirectOrigins?: readonly string[] },
): NextEvent {
  const { requireStepUp, redirectOrigins } = fact;
  return updated('organization-settings', fact, {
    ...(requireStepUp !== undefined && { requireStepUp }),
    ...(redirectOrigins && { redirectOrigins: redirectOrigins.join(' ') }),
  });
}

/** The configuration of an organization's store was changed: these parts of it. */
export function storeConfigurationUpdated(
  fact: OrganizationChange & { readonly fields: readonly string[] },
): NextEvent {
  return updated('store-configuration', fact, { fields: fact.fields.join(' ') });
}

/** There is one of each in an organization, so the organization's id is its id too. */
function updated(
  aggregate: 'organization' | 'organization-settings' | 'store-configuration',
  { organizationId, userId }: OrganizationChange,
  data: NextEvent['data'],
): NextEvent {
  return {
    type: `${aggregate}.updated`,
    organizationId,
    aggregate: { type: aggregate, id: organizationId },
    actor: `user:${userId}`,
    tags: [`organization:${organizationId}`, `user:${userId}`],
    data,
  };
}

/** A domain of an organization, and who did something with it. */
interface DomainDeed extends OrganizationChange {
  readonly domainId: string;
  readonly host: string;
}

/** An organization said that a host is its own. */
export function domainAdded(fact: DomainDeed): NewEvent {
  const { aggregate, ...event } = ofDomain('added', fact);
  return { ...event, aggregate: { ...aggregate, version: 1 } };
}

/** A host said the same, in its TXT record. */
export function domainVerified(fact: DomainDeed): NextEvent {
  return ofDomain('verified', fact);
}

/** An organization shows another domain than before: this one. */
export function primaryDomainChanged(fact: DomainDeed): NextEvent {
  return ofDomain('primary-changed', fact);
}

/** An organization has a domain no more. */
export function domainRemoved(fact: DomainDeed): NextEvent {
  return ofDomain('removed', fact);
}

function ofDomain(deed: string, { organizationId, userId, domainId, host }: DomainDeed): NextEvent {
  return {
    type: `domain.${deed}`,
    organizationId,
    aggregate: { type: 'domain', id: domainId },
    actor: `user:${userId}`,
    tags: [`domain:${domainId}`, `user:${userId}`],
    data: { host },
  };
}

/** What an operator did to an organization, by the record of it and its reason. */
interface OperatorFact {
  readonly organizationId: string;
  readonly operatorId: string;
  readonly actionId: string;
  readonly reason: string;
}

/** An operator has closed an organization to its members and payers. */
export function organizationSuspended(fact: OperatorFact): NextEvent {
  return byOperator('suspended', fact);
}

/** An operator has opened it again. */
export function organizationRestored(fact: OperatorFact): NextEvent {
  return byOperator('restored', fact);
}

/** An operator looks into an organization, for some minutes, and can change nothing. */
export function organizationImpersonated(fact: OperatorFact): NextEvent {
  return byOperator('impersonated', fact);
}

/** An operator has changed what an organization may have; without a tier it has what the installation gives. */
export function subscriptionChanged(
  fact: OperatorFact & {
    readonly tier: string | null;
    readonly expiresAt: Date | null;
    readonly maxMembers: number | null;
    readonly maxLinks: number | null;
  },
): NextEvent {
  const { tier, expiresAt, maxMembers, maxLinks } = fact;
  return byOperator('subscription-changed', fact, {
    tier,
    expiresAt: expiresAt?.toISOString() ?? null,
    maxMembers,
    maxLinks,
  });
}

function byOperator(
  deed: string,
  { organizationId, operatorId, actionId, reason }: OperatorFact,
  words: NextEvent['data'] = {},
): NextEvent {
  return {
    type: `organization.${deed}`,
    organizationId,
    aggregate: { type: 'organization', id: organizationId },
    actor: `operator:${operatorId}`,
    tags: [`organization:${organizationId}`, `user:${operatorId}`],
    data: { actionId, reason, ...words },
  };
}

/** An API key of an organization, and who did something with it. */
interface ApiKeyDeed extends OrganizationChange {
  readonly apiKeyId: string;
}

/** An API key was made, with these scopes. */
export function apiKeyCreated(fact: ApiKeyDeed & { readonly kind: string; readonly scopes: string }): NewEvent {
  const { aggregate, ...event } = ofApiKey('created', fact, { kind: fact.kind, scopes: fact.scopes });
  return { ...event, aggregate: { ...aggregate, version: 1 } };
}

/** An API key was changed: these fields of it. */
export function apiKeyUpdated(fact: ApiKeyDeed & { readonly fields: string }): NextEvent {
  return ofApiKey('updated', fact, { fields: fact.fields });
}

/** An owner answers for an API key from now on. */
export function apiKeyConfirmed(fact: ApiKeyDeed): NextEvent {
  return ofApiKey('confirmed', fact, {});
}

/** An API key was ended by somebody who may. */
export function apiKeyRevoked(fact: ApiKeyDeed): NextEvent {
  return ofApiKey('revoked', fact, {});
}

function ofApiKey(deed: string, { organizationId, userId, apiKeyId }: ApiKeyDeed, data: NextEvent['data']): NextEvent {
  return {
    type: `api-key.${deed}`,
    organizationId,
    aggregate: { type: 'api-key', id: apiKeyId },
    actor: `user:${userId}`,
    tags: [`api-key:${apiKeyId}`, `user:${userId}`],
    data,
  };
}

/** An invitation of an organization, and who did something with it. */
interface InvitationDeed extends OrganizationChange {
  readonly invitationId: string;
}

/** Somebody was invited to have this role, by wallet or by e-mail; that it was accepted is told by the database. */
export function invitationCreated(
  fact: InvitationDeed & {
    readonly role: string;
    readonly roleId?: string | undefined;
    readonly kind: 'WALLET' | 'EMAIL';
  },
): NewEvent {
  const { role, roleId, kind } = fact;
  const { aggregate, ...event } = ofInvitation('created', fact, { role, ...(roleId && { roleId }), kind });
  return { ...event, aggregate: { ...aggregate, version: 1 } };
}

/** An invitation was ended before anybody accepted it. */
export function invitationRevoked(fact: InvitationDeed): NextEvent {
  return ofInvitation('revoked', fact, {});
}

function ofInvitation(
  deed: string,
  { organizationId, userId, invitationId }: InvitationDeed,
  data: NextEvent['data'],
): NextEvent {
  return {
    type: `invitation.${deed}`,
    organizationId,
    aggregate: { type: 'invitation', id: invitationId },
    actor: `user:${userId}`,
    tags: [`invitation:${invitationId}`, `user:${userId}`],
    data,
  };
}

/** A custom role of an organization, and who did something with it. */
interface RoleDeed extends OrganizationChange {
  readonly roleId: string;
  readonly name: string;
}

/** A custom role was made, with these permissions. */
export function roleCreated(fact: RoleDeed & { readonly permissions: readonly string[] }): NewEvent {
  const { aggregate, ...event } = ofRole('created', fact, { permissions: fact.permissions.join(' ') });
  return { ...event, aggregate: { ...aggregate, version: 1 } };
}

/** A custom role was changed: these fields of it, and its permissions to these when they are among them. */
export function roleUpdated(
  fact: RoleDeed & { readonly fields: readonly string[]; readonly permissions?: readonly string[] | undefined },
): NextEvent {
  const { fields, permissions } = fact;
  return ofRole('updated', fact, {
    fields: fields.join(' '),
    ...(permissions && { permissions: permissions.join(' ') }),
  });
}

/** A custom role that nobody had was deleted. */
export function roleDeleted(fact: RoleDeed): NextEvent {
  return ofRole('deleted', fact, {});
}

function ofRole(deed: string, { organizationId, userId, roleId, name }: RoleDeed, data: NextEvent['data']): NextEvent {
  return {
    type: `role.${deed}`,
    organizationId,
    aggregate: { type: 'role', id: roleId },
    actor: `user:${userId}`,
    tags: [`role:${roleId}`, `user:${userId}`],
    data: { name, ...data },
  };
}
