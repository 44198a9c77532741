import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { Pair } from './probe.ts';

/** An audit entry of each organization. */
export const entryIds = new Map<string, string>();

/** A row of each type that has a global id. */
export const ROWS: Readonly<Record<string, (tenant: Tenant) => string>> = {
  ApiKey: ({ people }) => people.ADMIN.userId,
  AuditEntry: ({ organizationId }) => entryIds.get(organizationId) ?? '',
  BlockchainTransaction: ({ transactions }) => transactions[0]?.id ?? '',
  Domain: ({ domain }) => domain.id,
  Identity: ({ people }) => people.OWNER.identityId,
  Invitation: ({ people }) => people.ADMIN.userId,
  Membership: ({ people }) => people.MEMBER.userId,
  Organization: ({ organizationId }) => organizationId,
  PaymentLink: ({ links }) => links[0]?.id ?? '',
  PaymentOrder: ({ orders }) => orders[0]?.id ?? '',
  PaymentRefund: ({ orders }) => orders[0]?.id ?? '',
  ProviderTransaction: ({ orders }) => orders[0]?.id ?? '',
  Role: ({ people }) => people.ADMIN.userId,
  Session: ({ people }) => people.OWNER.sessionId,
  UnmatchedPayment: ({ transactions }) => transactions[0]?.id ?? '',
  User: ({ people }) => people.OWNER.userId,
  Wallet: ({ people }) => people.OWNER.identityId,
};

/** Their names. */
export const types = Object.keys(ROWS);

/** The global id of a tenant’s row of the type. */
export const globalId = (type: string, tenant: Tenant): string => encodeGlobalId(type, ROWS[type]?.(tenant) ?? '');

/** The global ids of a tenant’s rows, under their own types’ names and under others’, beside those of nobody’s. */
export const idPairsOf = (other: Tenant): Pair[] =>
  types.flatMap((type) =>
    types.map(
      (claimed): Pair => [encodeGlobalId(claimed, ROWS[type]?.(other) ?? ''), encodeGlobalId(claimed, newId())],
    ),
  );
