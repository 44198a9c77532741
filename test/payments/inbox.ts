import type { Hex } from 'viem';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import type { Market } from './market.ts';

/** Whoever works in an organization, by the token of a session. */
export type Worker = Pick<Person, 'accessToken' | 'organizationId'>;

/** An entry of the inbox, as the API shows it. */
export interface Entry {
  readonly id: string;
  readonly status: string;
  readonly reason: string;
  readonly note: string | null;
  readonly needsReview: boolean;
  readonly transaction: { readonly hash: string; readonly units: string; readonly status: string };
  readonly candidates: readonly { readonly reason: string; readonly paymentOrder: { readonly id: string } }[];
  readonly paymentOrder: { readonly id: string; readonly status: string; readonly creditedUnits: string } | null;
}

/** A refund, as the API shows it. */
export interface Refund {
  readonly id: string;
  readonly status: string;
  readonly cause: string;
  readonly units: string;
  readonly destination: Hex | null;
  readonly destinationSource: string | null;
  readonly paymentRequest: { readonly to: Hex; readonly value: string; readonly data: Hex } | null;
  readonly transaction: { readonly hash: string; readonly status: string; readonly units: string } | null;
  readonly waitsFor: string | null;
  readonly calledOffAt: string | null;
  readonly withdrawn: boolean;
}

const ENTRY = `id status reason note needsReview transaction { hash units status } candidates { reason paymentOrder { id } }
  paymentOrder { id status creditedUnits } `;
const REFUND = `id status cause units destination destinationSource
  paymentRequest { to value data } transaction { hash status units } waitsFor calledOffAt withdrawn`;

/** The inbox of an organization, the newest first. */
export async function inboxOf(
  { house }: Pick<Market, 'house'>,
  { accessToken }: Worker,
  filter?: object,
): Promise<Entry[]> {
  const answer = await house.ask<{
    organization: { unmatchedPayments: { edges: { node: Entry }[] } };
  }>(
    `query ($filter: UnmatchedPaymentFilter) { organization { unmatchedPayments(first: 100, filter: $filter) {
      edges { node { ${ENTRY} } } } } }`,
    { filter: filter ?? null },
    { token: accessToken },
  );
  if (!answer.data) throw new Error(`There is no inbox: ${JSON.stringify(answer.errors)}`);
  return answer.data.organization.unmatchedPayments.edges.map(({ node }) => node);
}

/** The entry of a transaction; undefined where there is none. */
export async function entryOf(market: Pick<Market, 'house'>, by: Worker, hash: Hex): Promise<Entry | undefined> {
  return (await inboxOf(market, by)).find(({ transaction }) => transaction.hash === hash);
}

/** What a mutation comes to: the code of why not, or its answer. */
export interface Decided<Answer> {
  readonly code: string;
  readonly answer: Answer | null;
}

/** Asks for one of the deeds with the inbox and with refunds. */
export async function decide<Answer = { readonly refund: Refund; readonly unmatchedPayment: Entry; replayed: boolean }>(
  { house }: Pick<Market, 'house'>,
  by: Pick<Worker, 'accessToken'> | null,
  mutation: string,
  input: Record<string, unknown>,
): Promise<Decided<Answer>> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const shown = mutation.endsWith('UnmatchedPayment') && mutation !== 'refundUnmatchedPayment';
  const selection = shown ? `unmatchedPayment { ${ENTRY} }` : `refund { ${REFUND} }`;
  const { data, errors } = await house.ask<Record<string, Answer>>(
    `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} replayed } }`,
    { input },
    by ? { token: by.accessToken } : {},
  );
  return { code: errors[0]?.extensions.code ?? 'OK', answer: data?.[mutation] ?? null };
}

/** The refunds of an order, the newest first, and what the order says of them. */
export async function refundsOf(
  { house }: Pick<Market, 'house'>,
  { accessToken }: Worker,
  orderId: string,
): Promise<{ readonly refund: string; readonly refunds: readonly Refund[] }> {
  const { data } = await house.ask<{ node: { refund: string; refunds: { edges: { node: Refund }[] } } }>(
    `query ($id: ID!) { node(id: $id) { ... on PaymentOrder { refund refunds { edges { node { ${REFUND} } } } } } }`,
    { id: encodeGlobalId('PaymentOrder', orderId) },
    { token: accessToken },
  );
  if (!data) throw new Error('There is no such order.');
  return { refund: data.node.refund, refunds: data.node.refunds.edges.map(({ node }) => node) };
}

/** A further organization of the same person, which may be paid at the same wallet. */
export async function secondShop({ house }: Pick<Market, 'house'>, by: Person): Promise<Person> {
  const token = by.accessToken;
  const made = await house.ask<{ createOrganization: { organization: { id: string } } }>(
    'mutation { createOrganization(input: { name: "Second shop" }) { organization { id } } }',
    {},
    { token },
  );
  const id = made.data?.createOrganization.organization.id;
  const there = await house.ask<{ switchOrganization: { accessToken: string } }>(
    'mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken } }',
    { id },
    { token },
  );
  return { ...by, organizationId: id ?? '', accessToken: there.data?.switchOrganization.accessToken ?? '' };
}

/** Somebody who has another role in the organization of a person. */
export async function colleague(
  { house, sql }: Pick<Market, 'house' | 'sql'>,
  of: Person,
  role: 'ADMIN' | 'MEMBER',
): Promise<Person> {
  const guest = await signIn(house);
  await sql(
    `insert into memberships (organization_id, user_id, role)
     select o.organization_id, g.user_id, $3::membership_role
     from identities o_i join memberships o on o.user_id = o_i.user_id and o.role = 'OWNER'
     cross join identities g
     where o_i.address = $1 and g.address = $2
     order by o.created_at limit 1`,
    of.account.address.toLowerCase(),
    guest.account.address.toLowerCase(),
    role,
  );
  const there = await house.ask<{ switchOrganization: { accessToken: string } }>(
    'mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken } }',
    { id: of.organizationId },
    { token: guest.accessToken },
  );
  return { ...guest, organizationId: of.organizationId, accessToken: there.data?.switchOrganization.accessToken ?? '' };
}

/** What was told of one aggregate, in order, without their common beginning. */
export async function toldAbout({ sql }: Pick<Market, 'sql'>, type: string, globalId: string): Promise<string[]> {
  const id = Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? '';
  const rows = await sql<{ type: string }>(
    'select type from events where aggregate_type = $1 and aggregate_id = $2 order by aggregate_version',
    type,
    id,
  );
  return rows.map((row) => row.type.replace(`${type}.`, ''));
}

/** Replaces the newest blocks; of their transactions only those that are given come back, each in the block named. */
export async function reorganize(
  { chain }: Pick<Market, 'chain'>,
  depth: number,
  ...replayed: readonly [raw: Hex, offset: number][]
): Promise<void> {
  await chain.node.request({ method: 'anvil_reorg', params: [depth, replayed] } as never);
}

/** Sends a signed transaction once more, and waits until it is mined. */
export async function sendAgain({ chain }: Pick<Market, 'chain'>, raw: Hex): Promise<void> {
  const hash = await chain.public.sendRawTransaction({ serializedTransaction: raw });
  while (!(await chain.public.getTransactionReceipt({ hash }).catch(() => null))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
