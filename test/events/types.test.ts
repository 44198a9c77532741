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
import { paymentLinkCreated, paymentOrderCreated, paymentOrderMoved } from '../../src/payments/events.ts';
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
  storeConfigurationUpdated,
} from '../../src/tenancy/events.ts';
import { STATUSES } from '../payments/stateTable.ts';

const moved = (from: OrderStatus, to: OrderStatus, reorged = false) =>
  paymentOrderMoved({
    organizationId: 'o',
    paymentOrderId: 'p',
    version: 2,
    from,
    to,
    reorged,
    credited: 2n ** 100n,
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
      apiKeyCreated({ organizationId: 'o', userId: 'u', apiKeyId: 'k', kind: 'SERVICE', scopes: 'payments:read' }),
      apiKeyUpdated({ organizationId: 'o', userId: 'u', apiKeyId: 'k', fields: 'name' }),
      ...[apiKeyConfirmed, apiKeyRevoked].map((tell) => tell({ organizationId: 'o', userId: 'u', apiKeyId: 'k' })),
      paymentLinkCreated({ organizationId: 'o', paymentLinkId: 'l', actor: 'user:u', title: 't' }),
      paymentOrderCreated({
        organizationId: 'o',
        paymentOrderId: 'p',
        paymentLinkId: 'l',
        asset: 'a',
        units: 1n,
        payer: '0x',
      }),
      ...STATUSES.flatMap((from) => STATUSES.flatMap((to) => [moved(from, to), moved(from, to, true)])),
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
    }
  });

  it('has amounts as texts, since no number of JSON holds them', () => {
    expect(moved('CONFIRMING', 'PAID').data).toEqual({
      from: 'CONFIRMING',
      to: 'PAID',
      creditedUnits: '1267650600228229401496703205376',
    });
  });
});
