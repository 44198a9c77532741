import { describe, expect, it } from 'vitest';
import { sample } from '../support/scale.ts';
import { graveFaults, overflowOf } from './support/accessibility.ts';
import { openVisitor } from './support/browser.ts';
import { openDesk, openPlayground, says, signInAs } from './support/desk.ts';
import { run, turnTo } from './support/editors.ts';
import { keepPicture } from './support/pictures.ts';

const desk = openDesk();

describe('the bar above the editors', () => {
  it.each(sample(['light', 'dark'] as const, 2))('can be read and used by everybody, in %s', async (colorScheme) => {
    const visitor = await openVisitor(desk.browser, desk.origin, { colorScheme });
    const page = await openPlayground({ visitor });
    expect(await graveFaults(page, '.bar')).toEqual([]);
    await page.getByRole('button', { name: 'Sign in as a demo wallet' }).click();
    expect(await graveFaults(page, '.bar')).toEqual([]);
    await page.keyboard.press('Escape');
    await signInAs(page, 'Alice');
    expect(await graveFaults(page, '.bar')).toEqual([]);
    await turnTo(page, 'PaymentLinks');
    expect(await run(page)).toMatchObject({ data: { organization: { name: 'Aurora Coffee' } } });
    await keepPicture(page, `playground-${colorScheme}`);
    await visitor.close();
    expect(visitor.faults).toEqual([]);
  });

  it('follows what is chosen in GraphiQL’s settings', async () => {
    const page = await openPlayground(desk);
    const background = () =>
      page.evaluate<string>(`getComputedStyle(document.getElementById('playground')).backgroundColor`);
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await page.getByRole('button', { name: 'Light', exact: true }).click();
    const light = await background();
    await page.getByRole('button', { name: 'Dark', exact: true }).click();
    expect(await background()).not.toBe(light);
  });

  it('fits a narrow window', async () => {
    const visitor = await openVisitor(desk.browser, desk.origin, { viewport: { width: 390, height: 800 } });
    const page = await visitor.open('/graphql');
    await signInAs(page, 'Alice');
    expect(await overflowOf(page)).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await says(page, 'Signed out.');
    expect(await overflowOf(page)).toBe(0);
    await visitor.close();
    expect(visitor.faults).toEqual([]);
  });
});
