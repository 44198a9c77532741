import { isIP } from 'node:net';
import type { Resources } from '../context.ts';
import { describeFault } from '../graphql/errors.ts';
import { findCheckoutPage } from '../payments/commands/findCheckoutPage.ts';
import type { Exchange } from './answer.ts';
import type { Bundle, Face } from './bundle.ts';
import { facePage } from './facePage.ts';
import { type Faces, PAGE_HEADERS, policyOf } from './faces.ts';
import { type KeptBody, keepBody, sendKept } from './keptBody.ts';

/** The page that payers pay on. */
export const CHECKOUT: Face = { name: 'checkout', entries: { main: './main.tsx' } };

const PATH = '/pay/';
const SLUG = /^[A-Za-z0-9_-]{1,100}$/;

/**
 * What the page is told of its link before it asks for anything. On an organization's own domain nothing is shown beside its
 * links: neither another organization's link nor a payment of one.
 */
type Finding = 'found' | 'unknown' | 'foreign' | 'unavailable';

const STATUS: Readonly<Record<Finding, number>> = { found: 200, unknown: 404, foreign: 404, unavailable: 503 };

/** Answers with the page of a payment link, whatever stands behind `/pay/`; false for any other path. */
export type SendCheckoutPage = (exchange: Exchange, resources: Resources) => Promise<boolean>;

/** Makes nothing yet: the page is written when the first payer comes. */
export function createCheckoutPage(faces: Faces): SendCheckoutPage {
  const pages = new Map<string, KeptBody>();
  return async (exchange, resources) => {
    if (!exchange.path.startsWith(PATH)) return false;
    const [{ finding, logo }, bundle] = await Promise.all([look(exchange, resources), faces.read(CHECKOUT.name)]);
    const page = pages.get(finding) ?? keepBody(Buffer.from(render(bundle, finding)), 'text/html; charset=utf-8');
    pages.set(finding, page);
    await sendKept(exchange, page, { ...PAGE_HEADERS, 'content-security-policy': policy(logo) }, STATUS[finding]);
    return true;
  };
}

/** Nothing comes from elsewhere, but the picture that this merchant has chosen. */
function policy(logo: string | null): string {
  const origin = logo?.startsWith('https:') ? ` ${new URL(logo).origin}` : '';
  return policyOf({
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': `'self' data:${origin}`,
    'connect-src': "'self'",
  });
}

async function look(
  { request, path, requestId, log }: Exchange,
  resources: Resources,
): Promise<{ finding: Finding; logo: string | null }> {
  const slug = path.slice(PATH.length);
  if (!SLUG.test(slug)) return { finding: 'unknown', logo: null };
  const host = foreignHost(request.headers.host, resources.publicUrl);
  try {
    const { theme, isOwned } = await findCheckoutPage({ ...resources, requestId }, { slug, host });
    if (theme) return { finding: 'found', logo: theme.logo };
    return { finding: isOwned ? 'foreign' : 'unknown', logo: null };
  } catch (error) {
    // A payer reads that it may be tried again, and not what a client reads.
    log.warn({ err: describeFault(error), requestId }, 'a checkout page could not be looked up');
    return { finding: 'unavailable', logo: null };
  }
}

/** The host that was asked, where it may be an organization's own: not our address, and no number. */
function foreignHost(given: string | undefined, publicUrl: string): string | null {
  const address = `http://${given ?? ''}`;
  if (!given || !URL.canParse(address)) return null;
  const { hostname } = new URL(address);
  const isOwn = hostname === new URL(publicUrl).hostname || hostname === 'localhost';
  return isOwn || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 ? null : hostname;
}

function render({ entries }: Bundle, finding: Finding): string {
  const { main } = entries;
  if (!main) throw new Error('The checkout has no main entry.');
  return facePage({
    ...main,
    title: 'Payment',
    root: `<div id="checkout" data-finding="${finding}"></div>`,
    withoutScripts: 'Paying here needs JavaScript, which is switched off in this browser.',
  });
}
