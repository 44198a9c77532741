import { describe, expect, it } from 'vitest';
import { demoAccount } from '../../src/chain/providers/devAccounts.ts';
import { signIn } from '../support/person.ts';
import { openDesk, openPlayground, signInAs } from './support/desk.ts';
import { holds, readAnswer, run, turnTo, writeText } from './support/editors.ts';

const desk = openDesk();

const CREATE_LINK = `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { replayed } }`;

describe('the operations that stand ready', () => {
  it('tell the story of a merchant, each without a fault', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    expect(await page.getByRole('tab').allInnerTexts()).toEqual([
      'WhoAmI',
      'PaymentLinks',
      'CreatePaymentLink',
      'PaymentOrders',
      'Events',
      'FollowEvents',
    ]);
    expect(await run(page)).toMatchObject({ data: { viewer: { user: { displayName: 'Alice' } } } });
    await turnTo(page, 'CreatePaymentLink');
    expect(await run(page)).toMatchObject({
      data: {
        createPaymentLink: {
          paymentLink: { title: 'An espresso', accepts: [{ payTo: demoAccount(0).address, asset: { symbol: 'ETH' } }] },
          replayed: false,
        },
      },
    });
    await turnTo(page, 'PaymentLinks');
    const titles = JSON.stringify(await run(page));
    for (const title of ['Flat white', 'A kilo of beans', 'An espresso']) expect(titles).toContain(title);
    await turnTo(page, 'PaymentOrders');
    expect(await run(page)).toMatchObject({
      data: { organization: { paymentOrders: { edges: [{ node: { paymentLink: { title: 'Flat white' } } }] } } },
    });
    await turnTo(page, 'Events');
    expect(JSON.stringify(await run(page))).toContain('payment-link.created');
  });

  it('follow what happens as it happens, until they are stopped', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    await turnTo(page, 'FollowEvents');
    const opened = page.waitForResponse((response) => response.request().postData()?.includes('FollowEvents') ?? false);
    await page.getByRole('button', { name: /^Execute query/ }).click();
    await opened;
    const { accessToken: token } = await signIn(desk.house, demoAccount(0).account as never);
    const accepts = [{ asset: 'eip155:31337/slip44:60', amount: '1', payTo: demoAccount(0).address }];
    await desk.house.ask(CREATE_LINK, { input: { title: 'Seen at once', accepts } }, { token });
    const { data } = await readAnswer(page, 'payment-link.created');
    expect(data).toMatchObject({ events: { node: { type: 'payment-link.created' } } });
    await page.getByRole('button', { name: /^Stop query/ }).click();
    await page.getByRole('button', { name: /^Execute query/ }).waitFor();
  });
});

describe('an answer', () => {
  it('is what the gateway said, whatever is wrong with the operation', async () => {
    const page = await openPlayground(desk);
    const codeOf = async (text: string) => {
      await writeText(page, 'operation.graphql', text);
      return (await run(page)).errors?.[0]?.extensions?.code;
    };
    desk.expected.push(/400/);
    expect(await codeOf('query Broken { viewer {')).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf('query Unknown { nobody }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('fragment Alone on Query { viewer { role } }')).toBe('BAD_REQUEST');
    expect(await codeOf('mutation { endOtherSessions { replayed } }')).toBe('UNAUTHENTICATED');
    expect(await codeOf('subscription { viewerChanged { role } }')).toBe('UNAUTHENTICATED');
  });

  it('is of the operation that was chosen among several', async () => {
    const page = await openPlayground(desk);
    const [role, chains] = ['query Role { viewer { role } }', 'query Chains { chains { ...Named } }'];
    await writeText(page, 'operation.graphql', `${role}\n${chains}\nfragment Named on Chain { name }`);
    await writeText(page, 'response.json', '');
    // The button asks which one as soon as the page has read that there are several.
    await page.locator('.graphiql-execute-button[aria-haspopup="menu"]').click();
    await page.getByRole('menuitem', { name: 'Chains' }).click();
    expect(await readAnswer(page, 'chains')).toEqual({ data: { chains: [{ name: 'Local chain' }] } });
  });

  it('is for whom the headers name, whoever is signed in', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    const { accessToken } = await signIn(desk.house, demoAccount(1).account as never);
    await writeText(page, 'request-headers.json', JSON.stringify({ Authorization: `Bearer ${accessToken}` }));
    expect(await run(page)).toMatchObject({ data: { viewer: { user: { displayName: 'Bob' } } } });
    await writeText(page, 'request-headers.json', '{ "X-API-Key": "th_live_0000000000000000_no" }');
    desk.expected.push(/401/);
    expect((await run(page)).errors?.[0]?.extensions?.code).toBe('API_KEY_REFUSED');
    await writeText(page, 'request-headers.json', '');
    expect(await run(page)).toMatchObject({ data: { viewer: { user: { displayName: 'Alice' } } } });
  });

  it('is the same again for the same idempotency key', async () => {
    const page = await openPlayground(desk);
    await signInAs(page, 'Alice');
    await turnTo(page, 'CreatePaymentLink');
    await writeText(page, 'request-headers.json', '{ "Idempotency-Key": "a-key-that-is-used-twice" }');
    expect(await run(page)).toMatchObject({ data: { createPaymentLink: { replayed: false } } });
    expect(await run(page)).toMatchObject({ data: { createPaymentLink: { replayed: true } } });
    await writeText(page, 'request-headers.json', '');
    expect(await run(page)).toMatchObject({ data: { createPaymentLink: { replayed: false } } });
  });
});

describe('the editors', () => {
  it('know the schema: they mark what is wrong, complete what is begun, and explain', async () => {
    const page = await openPlayground(desk);
    await writeText(page, 'operation.graphql', 'query Wrong { viewer { nothing } }');
    await page.locator('.graphiql-query-editor .squiggly-error').first().waitFor();
    await turnTo(page, 'CreatePaymentLink');
    await writeText(page, 'variables.json', '{ "input": 1 }');
    await page
      .locator('.graphiql-editor-tool .squiggly-error, .graphiql-editor-tool .squiggly-warning')
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByRole('link', { name: 'Mutation', exact: true }).first().click();
    await page.getByRole('link', { name: 'createPaymentLink', exact: true }).waitFor();
  });

  it('put an operation in order', async () => {
    const page = await openPlayground(desk);
    await writeText(page, 'operation.graphql', 'query Untidy { viewer { role } }');
    await writeText(page, 'variables.json', '{"one":{"two":3}}');
    await page.getByRole('button', { name: /^Prettify query/ }).click();
    await holds(page, 'variables.json', '{\n  "one": {\n    "two": 3\n  }\n}');
    await holds(page, 'operation.graphql', 'query Untidy {\n  viewer {\n    role\n  }\n}');
  });
});
