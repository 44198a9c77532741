import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  identityLinked,
  identityUnlinked,
  primaryWalletChanged,
  userSignedUp,
  walletLinked,
  walletUnlinked,
} from '../../src/identity/events.ts';
import {
  paymentLinkCreated,
  paymentLinkDeleted,
  paymentLinkMoved,
  paymentLinkUpdated,
  paymentOrderChanged,
  paymentOrderCreated,
  type ToldOrder,
} from '../../src/payments/events.ts';
import type { OrderStatus } from '../../src/payments/model.ts';
import {
  apiKeyConfirmed,
  apiKeyCreated,
  apiKeyRevoked,
  apiKeyUpdated,
  domainAdded,
  domainRemoved,
  domainVerified,
  invitationCreated,
  invitationRevoked,
  memberRemoved,
  membershipUpdated,
  organizationCreated,
  organizationImpersonated,
  organizationRestored,
  organizationSettingsUpdated,
  organizationSuspended,
  organizationUpdated,
  primaryDomainChanged,
  roleCreated,
  roleDeleted,
  roleUpdated,
  storeConfigurationUpdated,
  subscriptionChanged,
} from '../../src/tenancy/events.ts';
import { STATUSES } from '../payments/stateTable.ts';

const ORDER: Omit<ToldOrder, 'status' | 'exceptions' | 'credited'> = {
  organizationId: 'o',
  paymentOrderId: 'p',
  paymentLinkId: 'l',
  asset: 'a',
  due: 2n ** 99n,
  payTo: '0x1',
  payer: '0x2',
  refund: 'NONE',
};

const OF_A_ROLE = { organizationId: 'o', userId: 'u', roleId: 'r', name: 'Cashier' };

const moved = (from: OrderStatus, to: OrderStatus, reorged = false) =>
  paymentOrderChanged({
    before: { status: from, exceptions: [], credited: 0n },
    order: { ...ORDER, status: to, exceptions: reorged ? ['REORGED', 'OVERPAID'] : ['OVERPAID'], credited: 2n ** 100n },
    version: 2,
  });

const toldBy = (aggregate: string, facts: Readonly<Record<string, string>>) =>
  Object.entries(facts).map(([fact, actor]) => ({ type: `${aggregate}.${fact}`, actor }));

const UNMATCHED = toldBy('unmatched-payment', {
  received: 'worker',
  assigned: 'user, worker',
  refunded: 'user',
  ignored: 'user',
  taken: 'worker',
  reopened: 'user, worker',
  reversed: 'worker',
  reinstated: 'worker',
});

const PROVIDED = toldBy('provider-transaction', {
  claimed: 'user',
  confirmed: 'worker',
  voided: 'user',
  reversed: 'user, worker',
});

const REFUNDED = toldBy('payment-refund', {
  requested: 'user, worker',
  addressed: 'payer, user',
  sent: 'worker',
  completed: 'worker',
  reversed: 'worker',
  'call-off-requested': 'user',
  canceled: 'user, worker',
});

/** What is told of an order whose state is the same. */
const changed = (credited: bigint) =>
  paymentOrderChanged({
    before: { status: 'DETECTED', exceptions: [], credited: 5n },
    order: { ...ORDER, status: 'DETECTED', exceptions: ['LATE'], credited },
    version: 2,
  });

describe('what is told', () => {
  it('is the table that docs/domains/events.md shows', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/domains/events.md'), 'utf8');
    const [, table = ''] = /<!-- types -->\n(.*?)\n<!-- types -->/s.exec(page) ?? [];
    const shown = [...table.matchAll(/^\| `([a-z-]+\.[a-z-]+)` \|[^|]*\| ([^|]*) \|/gm)].map(([, type, actor]) => [
      type,
      actor,
    ]);
    const wallet = { organizationId: 'o', userId: 'u', walletId: 'w', address: '0x' };
    const facts = [
      walletLinked({ ...wallet, kind: 'EOA' }),
      walletUnlinked({ ...wallet, version: 2 }),
      primaryWalletChanged({ ...wallet, version: 2 }),
      identityLinked({ organizationId: 'o', userId: 'u', identityId: 'i', kind: 'EMAIL', issuer: 'email' }),
      identityUnlinked({
        organizationId: 'o',
        userId: 'u',
        identityId: 'i',
        kind: 'EMAIL',
        issuer: 'email',
        version: 2,
      }),
      userSignedUp({ userId: 'u', organizationId: 'o', address: '0x' }),
      // told by the database, in merge_users() and delete_user()
      { type: 'user.merged', actor: 'user:u' },
      { type: 'user.deleted', actor: 'user:u' },
      // and in leave_organization()
      { type: 'membership.left', actor: 'user:u' },
      // and in delete_organization(), restore_organization() and purge_organization()
      { type: 'organization.deleted', actor: 'user:u' },
      { type: 'organization.undeleted', actor: 'user:u' },
      { type: 'organization.purged', actor: 'worker' },
      organizationCreated({ organizationId: 'o', ownerId: 'u', name: 'n' }),
      organizationUpdated({ organizationId: 'o', userId: 'u', fields: ['name'] }),
      ...[organizationSuspended, organizationRestored, organizationImpersonated].map((tell) =>
        tell({ organizationId: 'o', operatorId: 'u', actionId: 'a', reason: 'r' }),
      ),
      subscriptionChanged({
        ...{ organizationId: 'o', operatorId: 'u', actionId: 'a', reason: 'r' },
        ...{ tier: 'TEAM', expiresAt: null, maxMembers: 9, maxLinks: null },
      }),
      organizationSettingsUpdated({ organizationId: 'o', userId: 'u', requireStepUp: true }),
      storeConfigurationUpdated({ organizationId: 'o', userId: 'u', fields: ['theme'] }),
      ...[domainAdded, domainVerified, primaryDomainChanged, domainRemoved].map((tell) =>
        tell({ organizationId: 'o', userId: 'u', domainId: 'd', host: 'h' }),
      ),
      membershipUpdated({ organizationId: 'o', membershipId: 'm', userId: 'u', byId: 'u', fields: ['role'] }),
      memberRemoved({ organizationId: 'o', membershipId: 'm', userId: 'u', byId: 'u' }),
      invitationCreated({ organizationId: 'o', invitationId: 'i', userId: 'u', role: 'ADMIN', kind: 'EMAIL' }),
      invitationRevoked({ organizationId: 'o', invitationId: 'i', userId: 'u' }),
      // told by the database, in accept_invitation()
      { type: 'invitation.accepted', actor: 'user:u' },
      { type: 'membership.added', actor: 'user:u' },
      roleCreated({ ...OF_A_ROLE, permissions: ['payments:read'] }),
      roleUpdated({ ...OF_A_ROLE, fields: ['name'] }),
      roleDeleted(OF_A_ROLE),
      apiKeyCreated({ organizationId: 'o', userId: 'u', apiKeyId: 'k', kind: 'SERVICE', scopes: 'payments:read' }),
      apiKeyUpdated({ organizationId: 'o', userId: 'u', apiKeyId: 'k', fields: 'name' }),
      ...[apiKeyConfirmed, apiKeyRevoked].map((tell) => tell({ organizationId: 'o', userId: 'u', apiKeyId: 'k' })),
      paymentLinkCreated({ organizationId: 'o', paymentLinkId: 'l', actor: 'user:u', title: 't', status: 'DRAFT' }),
      paymentLinkUpdated({ organizationId: 'o', paymentLinkId: 'l', actor: 'user:u' }, ['title']),
      ...(['ACTIVE', 'PAUSED', 'ARCHIVED'] as const).map((status) =>
        paymentLinkMoved({ organizationId: 'o', paymentLinkId: 'l', actor: 'user:u' }, status),
      ),
      paymentLinkDeleted({ organizationId: 'o', paymentLinkId: 'l', actor: 'user:u' }),
      paymentOrderCreated({
        organizationId: 'o',
        paymentOrderId: 'p',
        paymentLinkId: 'l',
        matching: 'WALLET',
        asset: 'a',
        price: 1n,
        units: 1n,
        payTo: '0x',
        payer: '0x',
      }),
      // an order is called off by somebody, who tells of it in the database, in cancel_payment_order()
      ...STATUSES.flatMap((from) =>
        STATUSES.filter((to) => to !== 'CANCELED').flatMap((to) => [moved(from, to), moved(from, to, true)]),
      ),
      ...[4n, 5n, 6n].map(changed),
      { type: 'payment-order.canceled', actor: 'payer, user' },
      // and in claim_transfers() and accept_underpaid_order()
      { type: 'payment-order.claimed', actor: 'payer, user' },
      { type: 'payment-order.underpayment-accepted', actor: 'user:u' },
      // and in keep_order_refund()
      { type: 'payment-order.refund-changed', actor: 'user, worker' },
      // and of the inbox and of refunds, by triggers of their tables
      ...UNMATCHED,
      ...REFUNDED,
      ...PROVIDED,
    ];
    const told = new Map(facts.map(({ type, actor }) => [type, actor.replace(/^(user|operator):.*/, '$1')]));
    expect(shown.sort()).toEqual([...told].sort());
  });

  it('of an order that moves is said by where it comes from and where it goes', () => {
    expect(moved('CREATED', 'DETECTED').type).toBe('payment-order.detected');
    expect(moved('DETECTED', 'CREATED').type).toBe('payment-order.reopened');
    expect(moved('CONFIRMING', 'PAID').type).toBe('payment-order.paid');
    expect(moved('CONFIRMING', 'PAID', true).type).toBe('payment-order.reinstated');
    expect(moved('PAID', 'FINAL', true).type).toBe('payment-order.finalized');
    for (const to of ['CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED'] as const) {
      expect(moved('PAID', to).type).toBe('payment-order.reversed');
      expect(moved('FINAL', to).type).toBe('payment-order.reversed');
    }
    // it was told as paid, and is so still
    expect(moved('FINAL', 'PAID').type).toBe('payment-order.credit-reversed');
  });

  it('of an order whose state is the same is said by what was credited or taken back, or else by what is unusual', () => {
    expect([4n, 5n, 6n].map((credited) => changed(credited).type)).toEqual([
      'payment-order.credit-reversed',
      'payment-order.exception-noted',
      'payment-order.credited',
    ]);
  });

  it('has amounts as texts, since no number of JSON holds them', () => {
    expect(moved('CONFIRMING', 'PAID').data).toEqual({
      from: 'CONFIRMING',
      to: 'PAID',
      exceptions: 'OVERPAID',
      asset: 'a',
      dueUnits: '633825300114114700748351602688',
      creditedUnits: '1267650600228229401496703205376',
      surplusUnits: '633825300114114700748351602688',
      payTo: '0x1',
      payer: '0x2',
      refund: 'NONE',
    });
  });
});
