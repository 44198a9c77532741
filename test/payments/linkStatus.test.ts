import { describe, expect, it } from 'vitest';
import { type LinkDeed, type LinkStatus, linkStateAt, nextLinkStatus } from '../../src/payments/model/linkStatus.ts';

const STATUSES: readonly LinkStatus[] = ['DRAFT', 'ACTIVE', 'PAUSED', 'ARCHIVED'];

/** What each deed makes of each status; null where it cannot be done. */
const TABLE: Readonly<Record<LinkDeed, readonly (LinkStatus | null)[]>> = {
  activate: ['ACTIVE', null, 'ACTIVE', null],
  pause: [null, 'PAUSED', null, null],
  archive: ['ARCHIVED', 'ARCHIVED', 'ARCHIVED', null],
};

describe('the status of a link', () => {
  it.each(Object.entries(TABLE))('%s leads where the table says, and nowhere else', (deed, expected) => {
    expect(STATUSES.map((status) => nextLinkStatus(status, deed as LinkDeed))).toEqual(expected);
  });
});

describe('what a link is at a moment', () => {
  const now = Date.UTC(2026, 0, 2);
  const [past, future] = [new Date(now - 1), new Date(now + 1)];
  const reasons = { exhausted: false, unproved: false, unwatched: false };
  const link = { status: 'ACTIVE', startsAt: null, expiresAt: null, ...reasons } as const;

  it.each(['DRAFT', 'PAUSED', 'ARCHIVED'] as const)('%s is that, whatever else', (status) => {
    const ended = { startsAt: future, expiresAt: past, exhausted: true, unproved: true, unwatched: true };
    const state = linkStateAt({ status, ...ended }, now);
    expect(state).toBe(status);
  });

  it.each([
    ['ACTIVE', {}],
    ['ACTIVE', { startsAt: new Date(now), expiresAt: future }],
    ['SCHEDULED', { startsAt: future }],
    ['SCHEDULED', { startsAt: future, exhausted: true }],
    ['EXPIRED', { expiresAt: new Date(now) }],
    ['SCHEDULED', { startsAt: future, unproved: true }],
    ['EXPIRED', { expiresAt: past, exhausted: true }],
    ['EXPIRED', { expiresAt: past, unproved: true }],
    ['SCHEDULED', { startsAt: future, unwatched: true }],
    ['EXPIRED', { expiresAt: past, unwatched: true }],
    ['CHAIN_NOT_WATCHED', { unwatched: true }],
    ['CHAIN_NOT_WATCHED', { startsAt: past, expiresAt: future, exhausted: true, unproved: true, unwatched: true }],
    ['PAYEE_NOT_PROVED', { unproved: true }],
    ['PAYEE_NOT_PROVED', { startsAt: past, expiresAt: future, exhausted: true, unproved: true }],
    ['EXHAUSTED', { startsAt: past, expiresAt: future, exhausted: true }],
  ])('is %s for an active one with %j', (state, given) => {
    expect(linkStateAt({ ...link, ...given }, now)).toBe(state);
  });
});
