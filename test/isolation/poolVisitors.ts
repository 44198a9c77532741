import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';
import type { AnsweredError, TestTollhouse } from '../support/tollhouse.ts';

/** Somebody's visit of the gateway by HTTP. */
export interface Visit {
  readonly tenant: Tenant;
  readonly neighbour: Tenant;
  readonly token: string;
  /** After how many milliseconds the visitor hangs up; null when it waits for the answer. */
  readonly patience: number | null;
}

/** What a visit came to. */
export interface Visited {
  /** The whole answer; null when the visitor hung up before. */
  readonly text: string | null;
  /** By their code and whether they may be tried again. */
  readonly failures: readonly string[];
  /** What was answered that should not have been, or is missing; empty when all is well. */
  readonly wrong: readonly string[];
}

const QUERY = `query ($own: ID!, $theirs: ID!, $slug: String!) {
  viewer { user { displayName } organization { name } }
  own: node(id: $own) { ... on PaymentLink { title createdBy { displayName } } }
  theirs: node(id: $theirs) { id }
  organization { paymentLinks(first: 2) { edges { node { title orders { edges { node { id } } } } } } }
  checkout(slug: $slug) { organizationName }
}`;

/** How often the visitor's own marker stands in the answer. */
const MARKS = 7;

/** Asks for everything of one's own, for a neighbour's link by its id, and for a link by its slug. */
export async function visit(tollhouse: TestTollhouse, { tenant, neighbour, token, patience }: Visit): Promise<Visited> {
  const variables = {
    own: encodeGlobalId('PaymentLink', tenant.links[0]?.id ?? ''),
    theirs: encodeGlobalId('PaymentLink', neighbour.links[0]?.id ?? ''),
    slug: tenant.links[1]?.slug,
  };
  const ask = (): Promise<Response> =>
    fetch(tollhouse.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: QUERY, variables }),
      ...(patience !== null && { signal: AbortSignal.timeout(patience) }),
    });
  const response = await ask()
    .catch((error: Error) => (isReset(error) ? ask() : Promise.reject(error)))
    .catch(hungUp);
  const text = await response?.text().catch(hungUp);
  if (!text) return { text: null, failures: [], wrong: [] };
  const { data, errors = [] } = JSON.parse(text) as { data?: { theirs: unknown }; errors?: AnsweredError[] };
  const whole = errors.length > 0 || text.split(tenant.marker).length === MARKS + 1;
  return {
    text,
    failures: errors.map(({ extensions }) => `${extensions.code} ${extensions.retryable}`),
    wrong: [...(whole ? [] : [text]), ...(data?.theirs ? [text] : [])],
  };
}

/** A connection that was kept may be closed at the moment it is used again; what only reads is asked once more. */
function isReset({ cause }: Error): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 'ECONNRESET';
}

/** Whoever hangs up has no answer; any other failure is the gateway's. */
function hungUp(error: Error): null {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return null;
  throw error;
}
