import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { canReach, serverAccount } from '../../src/local/account.ts';
import { claimFolder, type LocalFolder } from '../../src/local/folder.ts';
import { LocalError } from '../../src/local/localError.ts';
import { isPrivateFolder, makePrivateFolder } from '../../src/local/privateFolder.ts';
import { clearLeftovers, leftovers, listen, makeRoot } from './children.ts';

const root = process.getuid?.() === 0;

afterEach(clearLeftovers);

async function claimed(checkout: string, log = listen()): Promise<LocalFolder> {
  const folder = await claimFolder(checkout, log);
  if (folder.dataPath !== folder.path) leftovers.push(() => rmSync(folder.dataPath, { recursive: true, force: true }));
  return folder;
}

describe('the folder of a checkout', () => {
  it('is made below it, and closed to everyone else', async () => {
    const checkout = makeRoot();
    const folder = await claimed(checkout);
    expect(folder.path).toBe(join(checkout, '.tollhouse'));
    expect(folder.dataPath).toBe(folder.path);
    expect(statSync(folder.path).mode & 0o066).toBe(0);
    expect(folder.account).toEqual(serverAccount());
    expect(canReach(folder.account, folder.dataPath)).toBe(true);
  });

  it('is refused a second time until it is released, by whatever path', async () => {
    const checkout = makeRoot();
    const other = join(makeRoot(), 'link');
    symlinkSync(checkout, other);
    const folder = await claimed(checkout);
    await folder.announce('http://localhost:4000/graphql');
    await expect(claimFolder(other)).rejects.toThrow(LocalError);
    await expect(claimFolder(other)).rejects.toThrow('http://localhost:4000/graphql');
    await folder.release();
    await (await claimed(other)).release();
  });

  it('is claimed beside that of another checkout', async () => {
    const [one, another] = [await claimed(makeRoot()), await claimed(makeRoot())];
    expect(one.dataPath).not.toBe(another.dataPath);
  });

  it('that a file stands in the way of is refused, with what to do', async () => {
    const checkout = makeRoot();
    symlinkSync('/dev/null', join(checkout, '.tollhouse'));
    await expect(claimFolder(checkout)).rejects.toThrow(/cannot be used .* set DATABASE_URL/);
  });

  it('below a home that is closed keeps its data where the server’s account can reach it, the same place each time', async () => {
    const home = makeRoot();
    const checkout = join(home, 'checkout');
    mkdirSync(checkout);
    chmodSync(home, 0o700);
    const log = listen();
    const folder = await claimed(checkout, log);
    expect(canReach(folder.account, folder.dataPath)).toBe(true);
    // Only root drops to another account; everyone else reaches what is theirs.
    expect(folder.dataPath === folder.path).toBe(!root);
    expect(log.sentences.filter((sentence) => sentence.includes(folder.dataPath))).toHaveLength(root ? 1 : 0);
    expect(existsSync(join(folder.path, 'data-is-elsewhere.json'))).toBe(root);
    await folder.release();
    const again = await claimed(checkout);
    expect(again.dataPath).toBe(folder.dataPath);
    await again.release();
  });

  it('whose data elsewhere is gone, or became another’s, is given a new place', async () => {
    const home = makeRoot();
    mkdirSync(join(home, 'checkout'));
    chmodSync(home, 0o700);
    const first = await claimed(join(home, 'checkout'));
    await first.release();
    rmSync(first.dataPath, { recursive: true });
    mkdirSync(first.dataPath);
    if (root) chownSync(first.dataPath, 12345, 12345);
    const second = await claimed(join(home, 'checkout'));
    expect(second.dataPath === first.dataPath).toBe(!root);
    expect(canReach(second.account, second.dataPath)).toBe(true);
  });
});

describe('a private folder', () => {
  it('is taken when nobody else can write to it', () => {
    const path = join(makeRoot(), 'private');
    makePrivateFolder(path, 0o711);
    makePrivateFolder(path, 0o711);
    expect(isPrivateFolder(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o711);
  });

  it('is refused when others can write to it, or it is a link that somebody laid', () => {
    const open = join(makeRoot(), 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(() => makePrivateFolder(open, 0o700)).toThrow('others may write to it');
    const link = join(makeRoot(), 'link');
    symlinkSync(dirname(open), link);
    expect(() => makePrivateFolder(link, 0o700)).toThrow(LocalError);
    expect(readdirSync(open)).toEqual([]);
  });
});
