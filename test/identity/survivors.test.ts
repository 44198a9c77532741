import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shortAddress } from '../../src/identity/model.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { join, merge, ticketFor } from './merger.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const userOf = ({ viewer }: SignedIn): string => viewer.user.id;
const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;

async function nodeFor({ accessToken }: SignedIn, id: string): Promise<unknown> {
  const { data } = await house.ask<{ node: unknown }>(
    'query ($id: ID!) { node(id: $id) { ... on User { id displayName } } }',
    { id },
    { token: accessToken },
  );
  return data?.node ?? null;
}

describe('who is left of two merged users', () => {
  it('is shown where the other made something, to whoever saw them, and to nobody else', async () => {
    const wallets = [newWallet(), newWallet()] as const;
    const older = await enterHouse(house, wallets[0]);
    const younger = await enterHouse(house, wallets[1]);
    const colleague = await enterHouse(house);
    await join(house, younger, homeOf(colleague), 'ADMIN');
    await sql(
      house,
      `insert into payment_links (organization_id, slug, title, created_by_id) values ($1, $2, 'Tea', $3)`,
      [rowId(homeOf(colleague)), wallets[0].address.toLowerCase().slice(2, 18), rowId(userOf(younger))],
    );
    await sql(
      house,
      `select set_config('app.user_id', '${rowId(userOf(younger))}', false);
       update payment_links set title = 'More tea' where organization_id = '${rowId(homeOf(colleague))}'`,
    );
    const stranger = await enterHouse(house);
    await merge(house, older, await ticketFor(house, older, wallets[1]));
    const { data } = await house.ask(
      '{ organization { paymentLinks { edges { node { createdBy { id } } } } } }',
      {},
      { token: colleague.accessToken },
    );
    expect(data).toEqual({
      organization: { paymentLinks: { edges: [{ node: { createdBy: { id: userOf(older) } } }] } },
    });
    const audit = await house.ask<{ organization: { auditEntries: { edges: { node: object }[] } } }>(
      `{ organization { auditEntries(filter: { table: "payment_links", verb: UPDATE }) {
        edges { node { user { id } userId } }
      } } }`,
      {},
      { token: colleague.accessToken },
    );
    // the record goes on saying whose id it was
    expect(audit.data?.organization.auditEntries.edges.map(({ node }) => node)).toContainEqual({
      user: { id: userOf(older) },
      userId: userOf(younger),
    });
    // both memberships, the one that has ended and the survivor's, are the survivor's
    const members = await house.ask<{ organization: { memberships: { edges: { node: object }[] } } }>(
      '{ organization { memberships { edges { node { status user { id displayName } } } } } }',
      {},
      { token: colleague.accessToken },
    );
    const displayName = shortAddress(wallets[0].address.toLowerCase());
    const survivor = { id: userOf(older), displayName };
    expect(members.data?.organization.memberships.edges.map(({ node }) => node)).toEqual(
      expect.arrayContaining([
        { status: 'LEFT', user: survivor },
        { status: 'ACTIVE', user: survivor },
      ]),
    );
    expect(await nodeFor(colleague, userOf(younger))).toMatchObject({ id: userOf(older) });
    expect(await nodeFor(stranger, userOf(younger))).toBeNull();
  });
});
