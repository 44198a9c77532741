import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { newId } from '../../../src/kernel/ids.ts';
import type { KeyClaim } from '../../../src/kernel/viewer.ts';
import { insertRows, type Tenant } from '../../support/tenants.ts';

/** What each key of an organization may do, as its scene is given it. */
export const KEY_SCOPES_OF = {
  key: 'payments:read',
  linkKey: 'payment-links:read',
  payKey: 'payment-links:read payments:write',
} as const;

export type KeyName = keyof typeof KEY_SCOPES_OF;
export const KEY_NAMES = Object.keys(KEY_SCOPES_OF) as readonly KeyName[];

/** A key that its organization's owner answers for. */
export interface SeededKey {
  readonly id: string;
  readonly prefix: string;
  readonly claim: KeyClaim;
}

/** Each organization's keys, with one that was revoked. */
export type SeededKeys = Readonly<Record<string, Readonly<Record<KeyName | 'revoked', SeededKey>>>>;

const ALL = [...KEY_NAMES, 'revoked'] as const;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @param sameIds whether the keys of all organizations have the same ids */
export function makeKeys(tenants: readonly Tenant[], sameIds: boolean): SeededKeys {
  const shared = ALL.map(() => newId());
  return Object.fromEntries(
    tenants.map(({ organizationId }) => [
      organizationId,
      Object.fromEntries(
        ALL.map((name, index) => {
          const prefix = randomBytes(8).toString('hex');
          const secretHash = sha256(randomBytes(32).toString('base64url'));
          const claim = { prefixHash: sha256(prefix), secretHash, address: null, origin: null };
          return [name, { id: sameIds ? (shared[index] ?? '') : newId(), prefix, claim }];
        }),
      ),
    ]),
  ) as unknown as SeededKeys;
}

/** Writes them. */
export async function seedKeys(client: pg.Client, tenants: readonly Tenant[], keys: SeededKeys): Promise<void> {
  await insertRows(
    client,
    'api_keys',
    tenants.flatMap(({ organizationId, people }) =>
      ALL.flatMap((name) => {
        const key = keys[organizationId]?.[name];
        return key === undefined
          ? []
          : {
              organization_id: organizationId,
              id: key.id,
              kind: 'SERVICE',
              name: 'Key',
              prefix: key.prefix,
              secret_hash: `\\x${Buffer.from(key.claim.secretHash).toString('hex')}`,
              scopes: (name === 'revoked' ? KEY_SCOPES_OF.key : KEY_SCOPES_OF[name]).split(' '),
              created_by_id: people.OWNER.userId,
              responsible_id: people.OWNER.userId,
              allowed_addresses: [],
              allowed_origins: [],
              revoked_at: name === 'revoked' ? new Date() : null,
            };
      }),
    ),
  );
}
