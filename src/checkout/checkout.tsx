import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Chain, type Link, ReadCheckout } from './api.ts';
import type { Asked } from './asked.ts';
import { gateway } from './gateway.ts';
import { GONE } from './gone.ts';
import { forget, type Kept, keep, readKept } from './kept.ts';
import { Merchant } from './merchant.tsx';
import { Notice } from './notice.tsx';
import { Offer } from './offer.tsx';
import { Payment } from './payment.tsx';
import { applyTheme } from './theme.ts';
import type { Wallet } from './wallets.ts';
import { LINK_WORDS, UNAVAILABLE, UNKNOWN } from './words.ts';

interface Found {
  readonly link: Link | null;
  readonly chains: readonly Chain[];
}

/** The page of a link: what it asks for, or the payment that this tab is at. */
export function Checkout({ slug }: { readonly slug: string }): JSX.Element {
  const [found, setFound] = useState<Found | 'failed' | null>(null);
  const [kept, setKept] = useState(() => readKept(slug));
  const first = useRef<{ readonly token: string; readonly wallet: Wallet } | null>(null);
  const reached = useRef(false);

  const read = useCallback(async () => {
    const { checkout, chains } = await gateway.query(ReadCheckout, { slug });
    if (checkout) dress(checkout);
    setFound({ link: checkout, chains });
  }, [slug]);
  useEffect(() => {
    read().catch(() => setFound('failed'));
  }, [read]);
  // A link to a payment may be opened in a tab that shows the page already.
  useEffect(() => {
    const look = (): void => setKept(readKept(slug));
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, [slug]);

  if (found === null) return <p role="status">Looking up what is to be paid …</p>;
  if (found === 'failed') return <Notice words={UNAVAILABLE} again />;
  const { chains } = found;
  const link = found.link ?? (kept ? GONE : null);
  if (!link) return <Notice words={UNKNOWN} />;
  const begin = (next: Kept, wallet?: Wallet): void => {
    first.current = wallet ? { token: next.token, wallet } : null;
    reached.current = true;
    setKept(keep(slug, next));
  };
  const takeFirst = (token: string): Wallet | null => {
    const taken = first.current;
    first.current = null;
    return taken?.token === token ? taken.wallet : null;
  };
  // a wallet may answer when the page is at another payment
  const remember = (token: string, asked: Asked | null): void =>
    setKept((now) => (now?.token === token ? keep(slug, { ...now, asked: asked ?? undefined }) : now));
  const leave = (): void => {
    forget(slug);
    reached.current = true;
    setKept(null);
  };
  return (
    <>
      <Merchant link={link} />
      {kept ? (
        <Payment
          key={kept.token}
          slug={slug}
          link={link}
          chains={chains}
          kept={kept}
          takeFirst={() => takeFirst(kept.token)}
          reached={reached.current}
          onAsk={(asked) => remember(kept.token, asked)}
          onLeave={leave}
        />
      ) : link.effectiveStatus === 'ACTIVE' ? (
        <Offer link={link} chains={chains} reached={reached.current} onBegin={begin} onChange={read} />
      ) : (
        <Closed link={link} />
      )}
    </>
  );
}

function dress(link: Link): void {
  document.title = `${link.title} – ${link.organizationName}`;
  applyTheme(link.theme);
}

function Closed({ link }: { readonly link: Link }): JSX.Element {
  const { effectiveStatus, message, startsAt } = link;
  const words = LINK_WORDS[effectiveStatus];
  return (
    <section class="card">
      <h1>{link.title}</h1>
      <h2>{words.title}</h2>
      <p>{words.text}</p>
      {effectiveStatus === 'SCHEDULED' && startsAt && (
        <p>
          It opens on <time dateTime={startsAt}>{new Date(startsAt).toLocaleString()}</time>.
        </p>
      )}
      {message && (
        <figure>
          <blockquote class="message">{message}</blockquote>
          <figcaption>{link.organizationName}</figcaption>
        </figure>
      )}
    </section>
  );
}
