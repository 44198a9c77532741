import { decodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { type Market, makeLink, makeOrder, newPayer, type Order, type Payer } from './market.ts';

/** What orders copy of their link, by the columns of its table. */
export type LinkTerms = Readonly<
  Partial<
    Record<
      | 'tolerance_basis_points'
      | 'under_policy'
      | 'over_policy'
      | 'late_policy'
      | 'late_window_minutes'
      | 'finality'
      | 'finality_confirmations',
      string | number
    >
  >
>;

/** Gives a link terms by the hand of a superuser. */
async function setTerms({ sql }: Pick<Market, 'sql'>, linkId: string, terms: LinkTerms): Promise<void> {
  const columns = Object.keys(terms);
  if (columns.length === 0) return;
  const assigned = columns.map((column, index) => `${column} = $${index + 2}`).join(', ');
  await sql(`update payment_links set ${assigned} where id = $1`, linkId, ...Object.values(terms));
}

/** A payer and the order that it asked for, of 12.5 TUSD on these terms. */
export async function beginOn(
  market: Market,
  terms: LinkTerms,
): Promise<{ payer: Payer; order: Order; link: { id: string; slug: string; payTo: string } }> {
  const payer = await newPayer(market);
  const link = await makeLink(market);
  const [row] = await market.sql<{ id: string }>('select id from payment_links where slug = $1', link.slug);
  await setTerms(market, row?.id ?? '', terms);
  await market.watch();
  return { payer, link, order: await makeOrder(market, { slug: link.slug, payer: payer.address }) };
}

/** The API's id of an order, and the organization's. */
export async function idsOf(
  { sql }: Pick<Market, 'sql'>,
  { reference }: Pick<Order, 'reference'>,
): Promise<{ id: string; organizationId: string }> {
  const [row] = await sql<{ id: string; organizationId: string }>(
    `select id, organization_id as "organizationId" from payment_orders where reference = decode($1, 'hex')`,
    reference.slice(2),
  );
  if (!row) throw new Error('There is no such order.');
  return row;
}

/** The last fact that was told of an order, of a type where one is named. */
export async function lastToldOf(
  market: Pick<Market, 'sql'>,
  order: Pick<Order, 'reference'>,
  type: string | null = null,
): Promise<{ type: string; actor: string; data: Record<string, string | null> }> {
  const { id } = await idsOf(market, order);
  const [row] = await market.sql<{ type: string; actor: string; data: Record<string, string | null> }>(
    `select type, actor, data from events
     where aggregate_type = 'payment-order' and aggregate_id = $1 and type = coalesce($2, type)
     order by aggregate_version desc limit 1`,
    id,
    type,
  );
  if (!row) throw new Error('Nothing was told.');
  return row;
}

/** Lets somebody into another's organization, by the hand of a superuser. */
export async function join(
  { sql }: Pick<Market, 'sql'>,
  user: Person,
  organization: Person,
  role: 'ADMIN' | 'MEMBER',
): Promise<void> {
  await sql(
    'insert into memberships (organization_id, user_id, role) values ($1, $2, $3)',
    decodeGlobalId(organization.organizationId)?.id,
    decodeGlobalId(user.userId)?.id,
    role,
  );
}

/** Somebody who works in the merchant's organization, and may read there and not write. */
export async function joinAsReader(market: Pick<Market, 'house' | 'sql' | 'merchant'>): Promise<Person> {
  const person = await signIn(market.house);
  await join(market, person, market.merchant, 'MEMBER');
  const { data } = await market.house.ask<{ switchOrganization: { accessToken: string } }>(
    'mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken } }',
    { id: market.merchant.organizationId },
    { token: person.accessToken },
  );
  return { ...person, accessToken: data?.switchOrganization.accessToken ?? '' };
}
