import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/kernel/digest.ts';
import { readTheme } from '../../src/payments/model/theme.ts';
import { signIn } from '../support/person.ts';
import { type Market, makeLink, openMarket } from './market.ts';

const NOTHING = { accent: null, background: null, font: null, logo: null };

describe('a store’s theme', () => {
  it.each([
    [
      { accent: '#0B6E4F', background: '#fff' },
      { accent: '#0b6e4f', background: '#ffffff' },
    ],
    [{ font: 'serif' }, { font: 'SERIF' }],
    [{ logo: 'https://cdn.example/a.png?b=c#d' }, { logo: 'https://cdn.example/a.png?b=c#d' }],
    [{ logo: 'data:image/svg+xml,%3Csvg%2F%3E' }, { logo: 'data:image/svg+xml,%3Csvg%2F%3E' }],
    [{ logo: 'data:image/png;base64,iVBORw0KGgo=' }, { logo: 'data:image/png;base64,iVBORw0KGgo=' }],
  ])('is read where it can be shown: %j', (theme, read) => {
    expect(readTheme(theme)).toEqual({ ...NOTHING, ...read });
  });

  it.each([
    { accent: 'red' },
    { accent: '#12345' },
    { accent: '#123456; background: url(https://x.example)' },
    { accent: 'var(--x)' },
    { accent: 7 },
    { accent: null },
    { background: 'url(https://x.example/a.png)' },
    { font: 'Comic Sans' },
    { font: 'serif; x' },
    { font: ['SERIF'] },
    { logo: 'http://cdn.example/a.png' },
    { logo: '//cdn.example/a.png' },
    { logo: 'javascript:alert(1)' },
    { logo: 'data:text/html,<script>' },
    { logo: 'data:image/png;base64,ab cd' },
    { logo: 'data:image/png,"onerror=x\n' },
    { logo: 'https://somebody:secret@cdn.example/a.png' },
    { logo: 'https://' },
    { logo: true },
    { css: 'body { display: none }' },
    {},
  ])('says nothing where it says %j', (theme) => {
    expect(readTheme(theme as Record<string, unknown>)).toEqual(NOTHING);
  });
});

describe('checkout.theme', () => {
  let market: Market;
  beforeAll(async () => {
    market = await openMarket();
  });
  afterAll(() => market.close());

  const themeOf = async (slug: string): Promise<unknown> =>
    (
      await market.house.ask<{ checkout: { theme: unknown } | null }>(
        `query ($slug: String!) { checkout(slug: $slug) { theme { accent background font logo } } }`,
        { slug },
      )
    ).data?.checkout?.theme;

  it('is the theme of the link’s own organization, and no other key of it', async () => {
    const stranger = await signIn(market.house);
    const [mine, theirs] = [await makeLink(market), await makeLink(market, { by: stranger })];
    const set = (token: string, accent: string) =>
      market.house.ask(
        `mutation ($input: UpdateStoreConfigurationInput!) { updateStoreConfiguration(input: $input) { replayed } }`,
        { input: { theme: { accent, font: 'MONOSPACE', note: 'ours alone' }, config: { secret: 'ours alone' } } },
        { token },
      );
    await set(market.merchant.accessToken, '#111111');
    await set(stranger.accessToken, '#222222');
    expect(await themeOf(mine.slug)).toEqual({ ...NOTHING, accent: '#111111', font: 'MONOSPACE' });
    expect(await themeOf(theirs.slug)).toEqual({ ...NOTHING, accent: '#222222', font: 'MONOSPACE' });
  });

  it('says nothing where the store says nothing', async () => {
    const newcomer = await signIn(market.house);
    expect(await themeOf((await makeLink(market, { by: newcomer })).slug)).toEqual(NOTHING);
  });

  it('can be read by a payer, and nothing else of the configuration', async () => {
    const { slug } = await makeLink(market);
    const payer = market.house.resources.database.as({
      kind: 'public',
      requestId: 'test',
      handle: { kind: 'payment-link', valueHash: sha256(slug) },
    });
    expect(await payer.db.$queryRaw`select theme from store_configurations`).toHaveLength(1);
    const asked = [
      () => payer.db.$queryRaw`select config from store_configurations`,
      () => payer.db.$queryRaw`select layout from store_configurations`,
      () => payer.db.$queryRaw`select features from store_configurations`,
      () => payer.db.$queryRaw`update store_configurations set theme = '{}'`,
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const nobody = market.house.resources.database.as({ kind: 'public', requestId: 'test' });
    expect(await nobody.db.$queryRaw`select theme from store_configurations`).toEqual([]);
  });
});
