import type { Who } from '../actors.ts';
import { type CrowdedWorld, OTHER_UNITS } from '../matrix/world.ts';
import type { Declarations } from './law.ts';

/** An account that nobody proved, and one that was proved by another organization's owner. */
const NOWHERE = `0x${'1'.repeat(40)}`;
const ANOTHERS = ({ tenants }: CrowdedWorld, { organizationId }: Who): string =>
  tenants.find((tenant) => tenant.organizationId !== organizationId)?.people.OWNER.address ?? '';
const COLLEAGUE = ({ tenants }: CrowdedWorld, { organizationId }: Who): string =>
  tenants.find((tenant) => tenant.organizationId === organizationId)?.people.MEMBER.userId ?? '';

/** What whoever may write payments says of a link. */
const TERMS = `title description status order_lifetime_minutes pricing line_items starts_at expires_at max_uses max_per_wallet
  tolerance_basis_points under_policy over_policy late_policy late_window_minutes finality finality_confirmations
  custom_fields allowed_payers success_url cancel_url inactive_message metadata`;

export const PAYMENTS: Declarations = {
  payment_links: {
    columns: `organization_id id slug title description status order_lifetime_minutes created_by_id deleted_at
      created_at updated_at pricing starts_at expires_at max_uses max_per_wallet uses tolerance_basis_points under_policy
      over_policy late_policy late_window_minutes finality finality_confirmations custom_fields allowed_payers success_url
      cancel_url inactive_message metadata line_items exhausted unproved unwatched`,
    allowed: {
      'OWNER bound ADMIN payKey': `
        select:ownWhole insert(organization_id id slug created_by_id ${TERMS}):own update(${TERMS}):ownWhole`,
      'MEMBER clerk linkKey': 'select:ownWhole',
      slug: `
        select(organization_id id slug title description status order_lifetime_minutes pricing line_items starts_at
          expires_at custom_fields success_url cancel_url inactive_message exhausted unproved unwatched
          deleted_at):targetWhole`,
      'operator auditor': 'select:all',
      // the first is one that any link may have
      doorkeeper: 'select:all update(updated_at created_by_id uses exhausted unproved unwatched deleted_at):all',
    },
    wrong: { 'OWNER bound ADMIN payKey': [{ insert: { created_by_id: COLLEAGUE } }] },
  },

  payment_link_accepts: {
    columns: `organization_id id payment_link_id position asset_id units pay_to created_at updated_at min_units max_units
      max_total_units total_units exhausted unproved unwatched`,
    allowed: {
      'OWNER bound ADMIN payKey': `
        select:own delete:own
        insert(organization_id id payment_link_id position asset_id units min_units max_units max_total_units pay_to):own`,
      'MEMBER clerk linkKey': 'select:own',
      'slug withdrawn': `
        select(organization_id id payment_link_id position asset_id units min_units max_units exhausted unproved
          unwatched pay_to):ofTarget`,
      operator: 'select:all',
      doorkeeper: 'select:all update(total_units exhausted unproved unwatched):all',
    },
    wrong: { 'OWNER bound ADMIN payKey': [{ insert: { pay_to: NOWHERE } }, { insert: { pay_to: ANOTHERS } }] },
  },

  payment_orders: {
    columns: `organization_id id payment_link_id incarnation_id asset_id status exceptions matching due_units
      credited_units pay_to payer reference required_confirmations head_number client_hash expires_at paid_at created_at
      updated_at surcharge_units tolerance_units under_policy over_policy late_policy late_until finality field_values
      line_items refund`,
    allowed: {
      'OWNER bound ADMIN MEMBER key': 'select:own',
      token: `
        select(organization_id id incarnation_id asset_id status due_units pay_to payer reference expires_at matching
          surcharge_units credited_units exceptions late_until finality required_confirmations field_values
          line_items):target`,
      // a link that is gone takes no orders
      slug: `
        insert(organization_id id payment_link_id incarnation_id asset_id matching due_units pay_to payer reference head_number client_hash surcharge_units field_values):ofStandingTarget`,
      worker: 'select:all',
      inside: 'select:all update(status exceptions credited_units head_number paid_at):own',
      'operator auditor': 'select:all',
      doorkeeper: 'select:all update(status under_policy refund):own',
    },
    wrong: {
      slug: [
        { insert: { due_units: '1' } },
        { insert: { due_units: OTHER_UNITS } },
        { insert: { pay_to: NOWHERE } },
        { insert: { pay_to: ANOTHERS } },
        { insert: { asset_id: ({ spareAssetId }) => spareAssetId } },
        { insert: { status: 'DETECTED' } },
        { insert: { credited_units: '1' } },
      ],
      inside: [{ update: { due_units: '1' } }, { update: { pay_to: NOWHERE } }],
    },
  },

  blockchain_transactions: {
    columns: `organization_id id incarnation_id asset_id hash ordinal sender recipient units status block_number
      block_hash block_time created_at updated_at`,
    allowed: {
      'OWNER bound ADMIN MEMBER key': 'select:own',
      token: `
        select(organization_id id incarnation_id asset_id hash ordinal sender recipient units status block_number
          block_time):toTarget`,
      inside: `
        select:own insert:own
        update(status asset_id sender recipient units block_number block_hash block_time):own`,
      operator: 'select:all',
      doorkeeper: `
        select:all insert:all
        update(status asset_id sender recipient units block_number block_hash block_time):all`,
    },
  },

  unique_amounts: {
    columns: `id asset_id pay_to units claimed_organization_id claimed_for_id past_block created_at updated_at`,
    allowed: {
      'worker inside': 'select:all update(past_block):all delete:all',
      doorkeeper: 'select(asset_id pay_to units claimed_organization_id claimed_for_id):all insert:all',
    },
  },

  payment_credits: {
    columns: `organization_id id payment_order_id blockchain_transaction_id units reversed_at created_at updated_at`,
    allowed: {
      'OWNER bound ADMIN MEMBER key': 'select:own',
      token: 'select:ofTarget',
      inside: 'select:own insert:own update(payment_order_id units reversed_at):own',
      operator: 'select:all',
      doorkeeper: 'select:all insert:all update(payment_order_id units reversed_at):all',
    },
  },
};
