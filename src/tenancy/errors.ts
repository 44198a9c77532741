import { defineErrors } from '../kernel/errors.ts';

/** What can be refused when an organization and its domains are changed, and what operators do is. */
export const tenancyErrors = defineErrors({
  SLUG_TAKEN: {
    message: 'Another organization has this slug.',
    remedy: 'Choose another one.',
    retryable: false,
  },
  DOMAIN_UNKNOWN: {
    message: 'The organization has no such domain.',
    remedy: 'Name one that `organization.domains` lists, by its id.',
    retryable: false,
  },
  DOMAIN_ALREADY_ADDED: {
    message: 'The organization has this domain already.',
    remedy: 'Verify the one that `organization.domains` lists, or remove it first.',
    retryable: false,
  },
  DOMAIN_RESERVED: {
    message: 'No organization can have this domain.',
    remedy: 'Name a public host of your own; not one of this installation, nor a name that is kept for other uses.',
    retryable: false,
  },
  DOMAIN_NOT_VERIFIED: {
    message: 'The domain’s TXT record does not say that the organization owns it.',
    remedy: 'Publish the record that the domain’s `record` shows, wait until it is seen, and verify again.',
    retryable: false,
  },
  DOMAIN_TAKEN: {
    message: 'Another organization has verified this domain.',
    remedy: 'Let it be removed there, then verify again.',
    retryable: false,
  },
  DOMAIN_CHECK_UNAVAILABLE: {
    message: 'The name system could not be asked for the domain’s TXT record.',
    remedy: 'Try again shortly.',
    retryable: true,
    status: 503,
  },
  DELETED_ORGANIZATION_UNKNOWN: {
    message: 'There is no such organization that you owned and can restore, or there is no longer.',
    remedy: 'Name one that `viewer.deletedOrganizations` lists, by its id.',
    retryable: false,
  },
  MEMBER_UNKNOWN: {
    message: 'The organization has no such member, or has no longer.',
    remedy: 'Name one that `organization.memberships` lists as `ACTIVE`, by its id.',
    retryable: false,
  },
  ROLE_ABOVE_YOURS: {
    message: 'The role lets its holder do what you may not do in this organization.',
    remedy: 'Ask somebody who may do all that the `role` may.',
    retryable: false,
  },
  ROLE_UNKNOWN: {
    message: 'The organization has no such custom role.',
    remedy: 'Name one that `organization.roles` lists, by its id.',
    retryable: false,
  },
  ROLE_NAME_TAKEN: {
    message: 'The organization has a custom role of this name already.',
    remedy: 'Choose another name, or change the one that `organization.roles` lists.',
    retryable: false,
  },
  ROLE_IN_USE: {
    message: 'Somebody has this role, or is invited to it; it was not deleted.',
    remedy: 'Give those `members` another role, and revoke those `invitations`, then try again.',
    retryable: false,
  },
  INVITATION_UNKNOWN: {
    message: 'There is no such invitation, or it is not for you.',
    remedy: 'Use the token as it was sent, or the id of one that `viewer.invitations` lists.',
    retryable: false,
  },
  INVITATION_USED: {
    message: 'The invitation has been accepted already, or somebody has signed up with it.',
    remedy: 'Ask for another one.',
    retryable: false,
  },
  INVITATION_REVOKED: {
    message: 'The invitation was taken back.',
    remedy: 'Ask for another one.',
    retryable: false,
  },
  INVITATION_EXPIRED: {
    message: 'The invitation’s time is over.',
    remedy: 'Ask for another one.',
    retryable: false,
  },
  INVITATION_VOID: {
    message: 'Whoever invited you may not do so any more, or the organization is gone.',
    remedy: 'Ask somebody else there for another one.',
    retryable: false,
  },
  ALREADY_A_MEMBER: {
    message: 'You are a member of this organization already.',
    remedy: 'Work in it with `switchOrganization`.',
    retryable: false,
  },
  OPERATOR_NOT_CONFIGURED: {
    message: 'This installation has no login for operators.',
    remedy: 'Set `OPERATOR_DATABASE_URL`, as docs/operations.md describes.',
    retryable: false,
  },
  ORGANIZATION_UNKNOWN: {
    message: 'There is no such organization.',
    remedy: 'Name one that `operator.organizations` lists, by its id.',
    retryable: false,
  },
  API_KEY_UNKNOWN: {
    message: 'The organization has no such API key.',
    remedy: 'Name one that `organization.apiKeys` lists, by its id.',
    retryable: false,
  },
  API_KEY_REVOKED: {
    message: 'The API key is revoked, and stays so.',
    remedy: 'Make another one with `createApiKey`.',
    retryable: false,
  },
  API_KEY_NOT_CONFIRMABLE: {
    message: 'You cannot answer for this API key: it is somebody’s own, or you are no owner.',
    remedy: 'Let an owner confirm it; instead of a personal key make another one.',
    retryable: false,
  },
});
