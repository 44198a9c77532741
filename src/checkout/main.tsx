import './style.css';
import { render } from 'preact';
import { Checkout } from './checkout.tsx';
import { readKept } from './kept.ts';
import { Notice } from './notice.tsx';
import { UNAVAILABLE, UNKNOWN } from './words.ts';

const root = document.getElementById('checkout');
const slug = location.pathname.split('/').at(2) ?? '';

// The gateway has looked before it sent the page. Who has a payment sees it, even where its link is gone; but on an
// organization's own domain nothing that is not known to be this organization's.
if (root) {
  const { finding } = root.dataset;
  render(
    <main>
      {finding === 'foreign' || (finding === 'unknown' && !readKept(slug)) ? (
        <Notice words={UNKNOWN} />
      ) : finding === 'unavailable' ? (
        <Notice words={UNAVAILABLE} again />
      ) : (
        <Checkout slug={slug} />
      )}
    </main>,
    root,
  );
}
