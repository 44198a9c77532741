import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTokenKey, keptTokenKeys } from '../../src/identity/providers/tokenKeys.ts';
import { createTokens } from '../../src/identity/providers/tokens.ts';
import { newId } from '../../src/kernel/ids.ts';

const terms = { issuer: 'https://pay.example', lifetime: 600, clock: { now: () => Date.now() } };
const viewer = { sessionId: newId(), userId: newId(), organizationId: newId() };

describe('the published keys', () => {
  it('let anybody check a token, and nobody make one', async () => {
    const [old, fresh] = [generateTokenKey(), generateTokenKey()];
    const tokens = await createTokens({ ...terms, keys: [fresh, old] });
    expect(tokens.openKeys.keys.map(({ kid }) => kid)).toEqual([fresh.kid, old.kid]);
    expect(JSON.stringify(tokens.openKeys)).not.toContain(fresh.d);
    expect(tokens.openKeys.keys.every((key) => !('d' in key))).toBe(true);
    const { token } = await tokens.issue(viewer);
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(tokens.openKeys as never));
    expect([payload.sub, protectedHeader.kid]).toEqual([viewer.userId, fresh.kid]);
  });
});

describe('rotating the keys', () => {
  it('keeps tokens of the old key good while it is on the list, and not after', async () => {
    const [old, fresh] = [generateTokenKey(), generateTokenKey()];
    const { token } = await (await createTokens({ ...terms, keys: [old] })).issue(viewer);
    expect(await (await createTokens({ ...terms, keys: [fresh, old] })).verify(token)).toEqual(viewer);
    const without = await createTokens({ ...terms, keys: [fresh] });
    await expect(without.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('the keys of a checkout', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tollhouse-keys-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are made once, found again, and readable by their owner alone', async () => {
    const path = join(folder, 'token-keys.json');
    const made = await keptTokenKeys(path);
    expect(made).toHaveLength(1);
    expect(await keptTokenKeys(path)).toEqual(made);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(made);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});
