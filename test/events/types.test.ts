import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { primaryWalletChanged, userSignedUp, walletLinked, walletUnlinked } from '../../src/identity/events.ts';
import { paymentLinkCreated, paymentOrderCreated, paymentOrderMoved } from '../../src/payments/events.ts';
import type { OrderStatus } from '../../src/payments/model.ts';
import { memberAdded, organizationCreated } from '../../src/tenancy/events.ts';
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
      userSignedUp({ userId: 'u', organizationId: 'o', address: '0x' }),
      organizationCreated({ organizationId: 'o', ownerId: 'u', name: 'n' }),
      memberAdded({ organizationId: 'o', membershipId: 'm', userId: 'u', role: 'ADMIN', addedById: 'u' }),
      paymentLinkCreated({ organizationId: 'o', paymentLinkId: 'l', userId: 'u', title: 't' }),
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
    const told = new Map(facts.map(({ type, actor }) => [type, actor.replace(/^user:.*/, 'user')]));
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
