import { describe, expect, it } from 'vitest';
import { demoAccount } from '../../src/chain/providers/devAccounts.ts';
import { type Person, signIn } from '../support/person.ts';
import { openDesk, openPlayground, says, signInAs } from './support/desk.ts';
import { run, writeText } from './support/editors.ts';

const desk = openDesk();

/** The same person in another browser. */
function elsewhere(index: 0 | 1): Promise<Person> {
  return signIn(desk.house, demoAccount(index).account as never);
}

async function found({ accessToken: token }: Person, name: string): Promise<void> {
  const mutation = 'mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { replayed } }';
  const { errors } = await desk.house.ask(mutation, { input: { name } }, { token });
  expect(errors).toEqual([]);
}

describe('whoever is signed in', () => {
  it('hears at once of an organization that they have founded elsewhere, goes there and comes back', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    const places = page.getByRole('combobox', { name: 'Organization' });
    await places.getByRole('option', { name: 'Aurora Coffee' }).waitFor({ state: 'attached' });
    await found(await elsewhere(0), 'Aurora Tea');
    await places.getByRole('option', { name: 'Aurora Tea' }).waitFor({ state: 'attached' });
    await places.selectOption('Aurora Tea');
    await says(page, 'Now in Aurora Tea.');
    expect(await run(page)).toMatchObject({ data: { viewer: { organization: { name: 'Aurora Tea' } } } });
    await places.selectOption('Aurora Coffee');
    await says(page, 'Now in Aurora Coffee.');
    expect(await run(page)).toMatchObject({ data: { viewer: { organization: { name: 'Aurora Coffee' } } } });
  });

  it('is told without asking that the session was ended elsewhere, and asks as nobody from then on', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Bob');
    const { accessToken: token } = await elsewhere(1);
    const { errors } = await desk.house.ask('mutation { endOtherSessions { replayed } }', {}, { token });
    expect(errors).toEqual([]);
    desk.expected.push(/401/);
    await says(page, 'The session is over: it was ended elsewhere, or has lasted its time. Sign in again.');
    expect(await run(page)).toMatchObject({ data: { viewer: null } });
    await signInAs(page, 'Bob');
  });

  it('signs out, and what the page had is good for nothing', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    const sent = page.waitForRequest((request) => request.postData()?.includes('WhoAmI') ?? false);
    await run(page);
    const { authorization = '' } = (await sent).headers();
    const ask = () => desk.house.ask('{ viewer { role } }', {}, { headers: { authorization } });
    expect((await ask()).data).toEqual({ viewer: { role: 'OWNER' } });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await says(page, 'Signed out.');
    expect((await ask()).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await run(page)).toMatchObject({ data: { viewer: null } });
  });

  it('leaves nothing behind: no token in the browser’s storage, none in the history, and no session after a reload', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    const { accessToken, refreshToken } = await elsewhere(0);
    await writeText(page, 'variables.json', JSON.stringify({ accessToken, refreshToken }));
    await writeText(page, 'request-headers.json', JSON.stringify({ authorization: `Bearer ${accessToken}` }));
    expect(await run(page)).toMatchObject({ data: { viewer: { user: { displayName: 'Alice' } } } });
    const everything = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])';
    const kept = () => page.evaluate<string>(everything);
    await expect.poll(kept, { timeout: 30_000 }).toContain('refreshToken');
    expect(await kept()).toContain('WhoAmI');
    expect(await kept()).not.toMatch(/eyJ[\w-]+\.|th_rt_|[Bb]earer eyJ/);
    await page.reload();
    await page.getByRole('button', { name: 'Sign in with wallet' }).waitFor();
  });

  it('is somebody in one tab, and may be somebody else in another', async () => {
    const [one, other] = [await openPlayground(desk), await openPlayground(desk)];
    await signInAs(one, 'Alice');
    await signInAs(other, 'Bob');
    expect(await run(one)).toMatchObject({ data: { viewer: { user: { displayName: 'Alice' } } } });
    expect(await run(other)).toMatchObject({ data: { viewer: { user: { displayName: 'Bob' } } } });
  });
});
