import { isIP } from 'node:net';
import type { Client } from '../context.ts';
import { databaseErrors } from '../database/errors.ts';
import type { Database } from '../database/scope.ts';
import { readApiKey } from '../kernel/apiKey.ts';
import { sha256 } from '../kernel/digest.ts';
import type { KeyClaim, KeyViewer } from '../kernel/viewer.ts';

/** Says which key it is that asks. */
export type FindKey = (
  text: string,
  asked: { readonly requestId: string; readonly client: Client },
) => Promise<KeyViewer>;

/** Whose a key is, which never changes. */
type Identity = Pick<KeyViewer, 'keyId' | 'organizationId'>;

const MOST_REMEMBERED = 10_000;

/**
 * Remembers whose the keys are that have been asked with. That is no authority: each statement asks the database whether
 * the key is good and for what. It saves the round trip of asking so before the first one.
 */
export function createFindKey(database: Database): FindKey {
  const remembered = new Map<string, Identity>();
  return async (text, { requestId, client }) => {
    const parts = readApiKey(text);
    if (!parts) throw databaseErrors.API_KEY_REFUSED();
    const claim: KeyClaim = {
      prefixHash: sha256(parts.prefix),
      secretHash: sha256(parts.secret),
      address: isIP(client.address) ? client.address : null,
      origin: client.origin,
    };
    // by the whole of it: who knows a prefix and no secret is never answered from here
    const name = sha256(text).toString('hex');
    const known = remembered.get(name);
    if (known) return { ...known, claim };
    const found = await ask(database, requestId, claim);
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    remembered.set(name, found);
    return { ...found, claim };
  };
}

async function ask(database: Database, requestId: string, claim: KeyClaim): Promise<Identity> {
  // the request itself is still to come, and counts then
  const scope = database.as({ kind: 'key', requestId, claim, call: { counted: true } });
  const [found] = await scope.db.$queryRaw<Identity[]>`
    /* findKey */
    select current_key_id() as "keyId", current_organization_id() as "organizationId"`;
  if (!found) throw databaseErrors.API_KEY_REFUSED();
  return found;
}
