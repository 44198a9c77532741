import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Keeps a picture of a page for the documentation, where TOLLHOUSE_PICTURES=1 asks for that. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  if (process.env.TOLLHOUSE_PICTURES !== '1') return;
  await page.screenshot({ path: join(import.meta.dirname, '../../../docs/pictures', `${name}.png`) });
}
